// Exponential(scale): nll = z + log scale, z = y / scale; P(Y > y) = exp(-z).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Exponential {
  static constexpr int P = 1;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] > 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V scale = p[0], z = y / scale;
    Jet<P, V> out = {};
    out.value = z + log(scale);
    if constexpr (Order >= 1) out.grad[0] = (1.0 - z) / scale;
    if constexpr (Order >= 2) out.hess[0][0] = (2.0 * z - 1.0) / scale / scale;
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = y / p[0];
    return through_log({-z, -z, -z}, 1, p[0]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    return through_log(log_one_minus_exp(log_ratio(y, p[0])), 1, p[0]);
  }
  // without memory: P(lo < Y <= hi) = P(Y > lo) P(Y <= hi - lo)
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    return log_sf(lo, p) + log_cdf(hi - lo, p);
  }
};

NEGLOG_FAMILY(exponential, Exponential)

} // namespace NEGLOG_ISA
} // namespace neglog
