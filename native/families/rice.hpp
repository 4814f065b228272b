// Rice(nu, scale s): with a = nu / s, b = y / s, x = a b it is nll = (b - a)^2 / 2 - log(b / s) - log(exp(-x) I0(x)).
// The upper tail is Marcum's Q function of order 1, Q(a, b).
//
// With A = I1 / I0 at x and the centred distance G = a - b A, everything follows from x_nu = b / s, x_s = -2 x / s.
#pragma once

#include "special_bessel.hpp"
#include "tail_integral.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Rice {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] >= 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V s = p[1], r = 1.0 / s, a = p[0] * r, b = y * r, x = a * b, apart = (y - p[0]) * r;
    const auto bessel = log_bessel_i0<Order>(x);
    Jet<P, V> out = {};
    out.value = 0.5 * apart * apart - log_ratio(b, s) - bessel.value;
    if constexpr (Order >= 1) {
      const V g = x > 1.0 ? b * bessel.gap - apart : a - b * bessel.ratio;
      const V spread = 0.5 * apart * apart + x * bessel.gap; // (a^2 + b^2) / 2 - x A
      out.grad[0] = g * r;
      out.grad[1] = 2.0 * (1.0 - spread) * r;
      if constexpr (Order >= 2) {
        out.hess[0][0] = (1.0 - b * b * bessel.curvature) * r * r;
        out.hess[0][1] = 2.0 * (b * x * bessel.curvature - g) * r * r;
        out.hess[1][1] = (6.0 * spread - 2.0 - 4.0 * x * x * bessel.curvature) * r * r;
      }
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    return falls(y, p) ? integrate_tail<Rice>(y, p, 1) : log_complement(integrate_tail<Rice>(y, p, -1));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    return falls(y, p) ? log_complement(integrate_tail<Rice>(y, p, 1)) : integrate_tail<Rice>(y, p, -1);
  }

private:
  // the density of log Y, whose logarithm has the slope 2 - b^2 + x A
  static bool falls(double y, const double *p) {
    const double a = p[0] / p[1], b = y / p[1];
    return b * (b - a) + a * b * log_bessel_i0<1>(a * b).gap > 2;
  }
};

NEGLOG_FAMILY(rice, Rice)

} // namespace NEGLOG_ISA
} // namespace neglog
