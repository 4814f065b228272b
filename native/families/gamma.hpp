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
    Jet<P, V> out = through_x(gamma_nll<Order>(a, y / s, log_ratio(y, s)), s);
    out.value += log(y);
    const auto zero = y == 0.0; // the density is infinite, finite or zero
    if (!any<decltype(y < y)>(zero)) return out;
    const V at_zero = a == 1.0 ? log(s) : (a < 1.0 ? splat<V>(-kInf) : splat<V>(kInf));
    out.value = zero ? at_zero : out.value;
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return through_x(log_gamma_p(p[0], y / p[1], log_ratio(y, p[1])), p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return through_x(log_gamma_q(p[0], y / p[1], log_ratio(y, p[1])), p[1]);
  }

private:
  // from a and x to a and s: x_s / x = -1 / s, x_ss / x = 2 / s^2
  template <class V> static Jet<P, V> through_x(const Jet<2, V> &f, V s) {
    return {f.value,
            {f.grad[0], -f.grad[1] / s},
            {{f.hess[0][0], -f.hess[0][1] / s}, {V{}, (f.hess[1][1] + 2.0 * f.grad[1]) / s / s}}};
  }
};

NEGLOG_FAMILY(gamma, Gamma)

} // namespace NEGLOG_ISA
} // namespace neglog
