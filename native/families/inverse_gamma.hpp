// InverseGamma(shape a, scale s): 1 / Y has a gamma distribution with scale 1 / s. nll = log y - log(x^a e^-x /
// Gamma(a)), x = s / y.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct InverseGamma {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y > 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    Jet<P, V> out = in_shape_and_rate(gamma_nll<Order>(p[0], p[1] / y, log_ratio(p[1], y)), p[1]);
    out.value += log(y);
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return in_shape_and_rate(log_gamma_q(p[0], p[1] / y, log_ratio(p[1], y)), p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return in_shape_and_rate(log_gamma_p(p[0], p[1] / y, log_ratio(p[1], y)), p[1]);
  }

private:
  // x_s / x = 1 / s, x_ss = 0
  template <class V> static Jet<P, V> in_shape_and_rate(const Jet<2, V> &f, V s) {
    return {f.value, {f.grad[0], f.grad[1] / s}, {{f.hess[0][0], f.hess[0][1] / s}, {V{}, f.hess[1][1] / s / s}}};
  }
};

NEGLOG_FAMILY(inverse_gamma, InverseGamma)

} // namespace NEGLOG_ISA
} // namespace neglog
