// Rayleigh(scale): nll = t - log(y / scale^2), t = (y / scale)^2 / 2; P(Y > y) = exp(-t).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Rayleigh {
  static constexpr int P = 1;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] > 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V scale = p[0], z = y / scale, square = z * z;
    Jet<P, V> out = {};
    out.value = 0.5 * square - log_ratio(y, scale) + log(scale);
    if constexpr (Order >= 1) out.grad[0] = (2.0 - square) / scale;
    if constexpr (Order >= 2) out.hess[0][0] = (3.0 * square - 2.0) / scale / scale;
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = y / p[0], t = 0.5 * z * z;
    return through_log({-t, -t, -t}, 2, p[0]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    constexpr double log2 = 0.69314718055994530942;
    return through_log(log_one_minus_exp(2 * log_ratio(y, p[0]) - log2), 2, p[0]);
  }
};

NEGLOG_FAMILY(rayleigh, Rayleigh)

} // namespace NEGLOG_ISA
} // namespace neglog
