// Gamma(shape a, scale s): nll = log y - log(x^a e^-x / Gamma(a)), x = y / s.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Gamma {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V a = p[0], s = p[1];
    Jet<P, V> out = in_shape_and_scale(gamma_nll<Order>(a, y / s, log_ratio(y, s)), s);
    out.value += log(y);
    return gamma_at_zero(out, y, a, [&] { return log(s); });
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return in_shape_and_scale(log_gamma_p(p[0], y / p[1], log_ratio(y, p[1])), p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return in_shape_and_scale(log_gamma_q(p[0], y / p[1], log_ratio(y, p[1])), p[1]);
  }
};

NEGLOG_FAMILY(gamma, Gamma)

} // namespace NEGLOG_ISA
} // namespace neglog
