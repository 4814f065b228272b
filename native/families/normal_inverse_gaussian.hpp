// NormalInverseGaussian(a, b, loc, scale), |b| < a, with x = (y - loc) / scale, rho = sqrt(1 + x^2), u = a rho and
// g = sqrt(a^2 - b^2):
//   nll = (a rho - b x - g) - kappa(u) + 2 log rho + log pi + log scale,   kappa(u) = log(u exp(u) K1(u)).
// The bracket is (a x - b rho)^2 / (a rho - b x + g), which does not cancel. Its derivatives are
// below, in n = a x - b rho; those of kappa come from log_bessel_k1.
//
// Tails are integrals of the density by Gauss-Legendre panels that widen with the distance, their derivatives means
// over the tail (LogMean). The singularities of the density are at x = +-i, which bounds the width of a panel.
#pragma once

#include "loops.hpp"
#include "special_bessel.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct NormalInverseGaussian {
  static constexpr int P = 4;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (absolute(p[1]) < p[0]) & (p[0] < kInf) & (absolute(p[2]) < kInf) & (p[3] > 0.0) & (p[3] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    // products in an order that keeps them in range for |x| up to 1e300
    const V a = p[0], b = p[1], r = 1.0 / p[3], x = (y - p[2]) * r, size = absolute(x);
    const V rho = size > 1e9 ? size : sqrt(1.0 + x * x), g = sqrt(a - b) * sqrt(a + b), q = 1.0 / rho;
    const auto k = log_bessel_k1<Order>(a * rho);
    const auto same = b * x > 0.0;
    // (g x)^2 - b^2 = (rho g)^2 - a^2
    const V n = same ? (g * x - b) * ((g * x + b) / (a * x + b * rho)) : a * x - b * rho;
    const V d = same ? a / (rho + absolute(b / a * x)) + g * x * (g * x / (a * rho + b * x)) : a * rho - b * x;
    Jet<P, V> out = {};
    out.value = n * (n / (d + g)) - k.value + 2.0 * log(rho) + kLogPi + log(p[3]);
    if constexpr (Order >= 1) {
      const V xq = x * q, slope = n * q + (2.0 - k.slope * a * rho) * xq * q;
      out.grad[0] = (g * x - b) * ((g * x + b) / (g * rho + a)) / g - k.slope * rho;
      out.grad[1] = b / g - x;
      out.grad[2] = -slope * r;
      out.grad[3] = (1.0 - x * slope) * r;
      if constexpr (Order >= 2) {
        const V bend = a * k.rest * q * q * q - k.curvature * a * a * xq * xq + 2.0 * (q - xq) * (q + xq) * q * q;
        const V mixed = xq * k.rest - k.curvature * a * x; // in a and x
        const V bent = slope + x * bend, ag = a / g, bg = b / g;
        out.hess[0][0] = bg * bg / g - k.curvature * rho * rho;
        out.hess[0][1] = -ag * bg / g;
        out.hess[0][2] = -mixed * r, out.hess[0][3] = -x * mixed * r;
        out.hess[1][1] = ag * ag / g;
        out.hess[1][2] = r, out.hess[1][3] = x * r;
        out.hess[2][2] = bend * r * r, out.hess[2][3] = bent * r * r;
        out.hess[3][3] = (x * (bent + slope) - 1.0) * r * r;
      }
    }
    return out;
  }

  // the tail on y's side of the mean, unless that turns out to be the larger
  static Jet<P, double> log_sf(double y, const double *p) {
    const double mirror[P] = {p[0], -p[1], -p[2], p[3]};
    if (above_mean(y, p)) {
      const auto above = upper(y, p);
      return above.value <= kLogHalf ? above : log_complement(mirrored(upper(-y, mirror)));
    }
    const auto below = upper(-y, mirror);
    return below.value <= kLogHalf ? log_complement(mirrored(below)) : upper(y, p);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double mirror[P] = {p[0], -p[1], -p[2], p[3]};
    return mirrored(log_sf(-y, mirror));
  }

private:
  static constexpr double kLogPi = 1.1447298858494001741, kLogHalf = -0.69314718055994530942;

  static bool above_mean(double y, const double *p) {
    return (y - p[2]) / p[3] > p[1] / __builtin_sqrt((p[0] - p[1]) * (p[0] + p[1]));
  }

  // from (a, -b, -loc, scale) to (a, b, loc, scale)
  static Jet<P, double> mirrored(Jet<P, double> out) {
    out.grad[1] = -out.grad[1], out.grad[2] = -out.grad[2];
    out.hess[0][1] = -out.hess[0][1], out.hess[0][2] = -out.hess[0][2];
    out.hess[1][3] = -out.hess[1][3], out.hess[2][3] = -out.hess[2][3];
    return out;
  }

  static Jet<P, double> upper(double y, const double *p) {
    const auto start = nll<2>(y, p);
    const double scale = p[3], slope = start.grad[2] * scale, bend = start.hess[2][2] * scale * scale;
    double x = (y - p[2]) / scale, width = 1 / (absolute(slope) + __builtin_sqrt(absolute(bend)) + 1);
    double from = 0, total = 0;
    LogMean<P> mean;
    for (int panel = 0; panel < 2000; ++panel) {
      const double most = x + from < 0 ? 0.5 * absolute(x + from) : x + from;
      width = width < most ? width : (most > 0.5 ? most : (width < 0.5 ? width : 0.5));
      double share = 0, last = 0;
      gauss_legendre<double>(from, from + width, [&](double w, double weight) {
        const auto at = nll<2>(y + scale * w, p);
        mean.add(log(weight * scale), at);
        last = at.value;
        share += weight * exp(start.value - at.value);
      });
      total += share;
      from += width;
      if (!(share > 1e-20 * total) && !(last < start.value)) break;
      if (panel) width *= 2;
    }
    return mean.log_sum();
  }
};

NEGLOG_FAMILY(normal_inverse_gaussian, NormalInverseGaussian)

} // namespace NEGLOG_ISA
} // namespace neglog
