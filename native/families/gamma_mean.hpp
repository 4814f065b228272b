// GammaMean(mean m, shape a): nll = log y - log(x^a e^-x / Gamma(a)), x = a y / m.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GammaMean {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V m = p[0], a = p[1], q = y / m;
    Jet<P, V> out = through_x(gamma_nll<Order>(a, a * q, log(a) + log_ratio(y, m)), m, a);
    out.value += log(y);
    return gamma_at_zero(out, y, a, log(m));
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double m = p[0], a = p[1];
    return through_x(log_gamma_p(a, a * (y / m), log(a) + log_ratio(y, m)), m, a);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double m = p[0], a = p[1];
    return through_x(log_gamma_q(a, a * (y / m), log(a) + log_ratio(y, m)), m, a);
  }

private:
  // from a and x to m and a: x_m / x = -1 / m, x_mm / x = 2 / m^2, x_a / x = 1 / a, x_ma / x = -1 / (m a)
  template <class V> static Jet<P, V> through_x(const Jet<2, V> &f, V m, V a) {
    const V r = 1.0 / a, slope = f.grad[1] * r, bend = f.hess[1][1] * r;
    return {f.value,
            {-f.grad[1] / m, f.grad[0] + slope},
            {{(f.hess[1][1] + 2.0 * f.grad[1]) / m / m, -(f.hess[0][1] + bend + slope) / m},
             {V{}, f.hess[0][0] + (2.0 * f.hess[0][1] + bend) * r}}};
  }
};

NEGLOG_FAMILY(gamma_mean, GammaMean)

} // namespace NEGLOG_ISA
} // namespace neglog
