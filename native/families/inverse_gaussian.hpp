// InverseGaussian(mean m, shape l): nll = l d^2 / (2 y) + log sqrt(2 pi) + 3/2 log y - log(l) / 2, d = (y - m) / m.
#pragma once

#include "tail_integral.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct InverseGaussian {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y > 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V m = p[0], l = p[1], d = (y - m) / m, dy = d / y;
    Jet<P, V> out = {};
    out.value = 0.5 * l * d * dy + (kLogSqrt2Pi + 1.5 * log(y) - 0.5 * log(l));
    if constexpr (Order >= 1) {
      out.grad[0] = -l * d / m / m;
      out.grad[1] = 0.5 * (d * dy - 1.0 / l);
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = (3.0 * d + 1.0) * (l / m) / m / m;
      out.hess[0][1] = -d / m / m;
      out.hess[1][1] = 0.5 / l / l;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    return falls(y, p) ? integrate_tail<InverseGaussian>(y, p, 1)
                       : log_complement(integrate_tail<InverseGaussian>(y, p, -1));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    return falls(y, p) ? log_complement(integrate_tail<InverseGaussian>(y, p, 1))
                       : integrate_tail<InverseGaussian>(y, p, -1);
  }

private:
  // the density of log Y, exp(-(l / m) (x + 1 / x) / 2 - log(x) / 2) in x = y / m; its mode solves a quadratic equation
  static bool falls(double y, const double *p) {
    const double f = p[1] / p[0];
    return y > 2 * p[1] / (1 + __builtin_sqrt(1 + 4 * f * f));
  }
};

NEGLOG_FAMILY(inverse_gaussian, InverseGaussian)

} // namespace NEGLOG_ISA
} // namespace neglog
