// NormalInverseGaussian(a, b, loc, scale), |b| < a, with x = (y - loc) / scale, rho = sqrt(1 + x^2), u = a rho and
// g = sqrt(a^2 - b^2):
//   nll = (a rho - b x - g) - kappa(u) + 2 log rho + log pi + log scale,   kappa(u) = log(u exp(u) K1(u)).
// The bracket is (a x - b rho)^2 / (a rho - b x + g), which does not cancel. With n = a x - b rho and R = 1 - kappa',
// its derivatives and those of kappa are below; kappa' = C / (A + C) and kappa'' = -(A / (A + C))^2 Var(c) are
// integrals of positive functions, see log_k1.
//
// Tails are integrals of the density by Gauss-Legendre panels that widen with the distance, their derivatives means
// over the tail (LogMean). The singularities of the density are at x = +-i, which bounds the width of a panel.
#pragma once

#include "loops.hpp"

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
    if constexpr (Lanes<V>::n == 1) {
      return row(y, p);
    } else {
      Jet<P, V> out = {};
      for (int i = 0; i < Lanes<V>::n; ++i) {
        const double lane[P] = {p[0][i], p[1][i], p[2][i], p[3][i]};
        set_lane<Order>(out, i, row(y[i], lane));
      }
      return out;
    }
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

  // kappa(u) = log(u exp(u) K1(u)), its slope, one minus the slope, K0 / K1, and its curvature
  struct Bessel {
    double value, slope, rest, curvature;
  };

  // K1(u) exp(u) is the integral of (1 + c) exp(-u c) over t > 0, c = cosh t - 1, and K0 that without c. The
  // trapezoidal rule converges like exp(-pi^2 / step): Abramowitz and Stegun 9.6.24, Trefethen and Weideman (2014).
  // Domain: u > 0. Relative error 2e-15; below 1e-8 by the series at 0 (9.6.8).
  static Bessel log_k1(double u) {
    constexpr double euler = 0.57721566490153286061;
    if (u < 1e-8) {
      const double bend = log_ratio(2.0, u) - euler, r = u * bend;
      return {u - 0.5 * u * (r + 0.5 * u), 1 - r, r, 1 - bend};
    }
    const double far = 50 / u, end = log1p(far + __builtin_sqrt(far * (far + 2)));
    const int steps = end > 24 * 0.2 ? static_cast<int>(end / 0.2) + 1 : 24;
    const double step = end / steps;
    double lane[Lanes<VecD>::n];
    for (int i = 0; i < Lanes<VecD>::n; ++i) lane[i] = i;
    const VecD index = load<VecD>(lane);
    VecD a = {}, c1 = {}, c2 = {};
    for (int i = 0; i <= steps; i += Lanes<VecD>::n) {
      const VecD at = index + double(i), s = expm1(at * step), c = s * s / (2.0 + 2.0 * s);
      VecD e = exp(-u * c);
      e = at == 0.0 ? 0.5 * e : e;
      a += e, c1 += c * e, c2 += c * c * e;
    }
    const double total = sum_lanes(a), first = sum_lanes(c1), all = total + first, mean = first / total;
    const double share = total / all;
    return {log(u * (step * all)), first / all, share, -share * share * (sum_lanes(c2) / total - mean * mean)};
  }

  // one copy of the code, so that a row is the same alone and among others
  [[gnu::noinline]] static Jet<P, double> row(double y, const double *p) {
    // products in an order that keeps them in range for |x| up to 1e300
    const double a = p[0], b = p[1], r = 1 / p[3], x = (y - p[2]) * r, size = absolute(x);
    const double rho = size > 1e9 ? size : __builtin_sqrt(1 + x * x), g = __builtin_sqrt((a - b) * (a + b)),
                 q = 1 / rho;
    const Bessel k = log_k1(a * rho);
    const bool same = b * x > 0;
    // (g x)^2 - b^2 = (rho g)^2 - a^2
    const double n = same ? (g * x - b) * ((g * x + b) / (a * x + b * rho)) : a * x - b * rho;
    const double d = same ? a / (rho + absolute(b / a * x)) + g * x * (g * x / (a * rho + b * x)) : a * rho - b * x;
    const double xq = x * q, slope = n * q + (2 - k.slope * a * rho) * xq * q;
    const double bend = a * k.rest * q * q * q - k.curvature * a * a * xq * xq + 2 * (q - xq) * (q + xq) * q * q;
    const double mixed = xq * k.rest - k.curvature * a * x; // in a and x
    const double bent = slope + x * bend;
    Jet<P, double> out = {};
    out.value = n * (n / (d + g)) - k.value + 2 * log(rho) + kLogPi + log(p[3]);
    out.grad[0] = (g * x - b) * ((g * x + b) / (g * rho + a)) / g - k.slope * rho;
    out.grad[1] = b / g - x;
    out.grad[2] = -slope * r;
    out.grad[3] = (1 - x * slope) * r;
    const double cube = 1 / (g * g * g);
    out.hess[0][0] = b * b * cube - k.curvature * rho * rho;
    out.hess[0][1] = -a * b * cube;
    out.hess[0][2] = -mixed * r, out.hess[0][3] = -x * mixed * r;
    out.hess[1][1] = a * a * cube;
    out.hess[1][2] = r, out.hess[1][3] = x * r;
    out.hess[2][2] = bend * r * r, out.hess[2][3] = bent * r * r;
    out.hess[3][3] = (x * (bent + slope) - 1) * r * r;
    return out;
  }

  // from (a, -b, -loc, scale) to (a, b, loc, scale)
  static Jet<P, double> mirrored(Jet<P, double> out) {
    out.grad[1] = -out.grad[1], out.grad[2] = -out.grad[2];
    out.hess[0][1] = -out.hess[0][1], out.hess[0][2] = -out.hess[0][2];
    out.hess[1][3] = -out.hess[1][3], out.hess[2][3] = -out.hess[2][3];
    return out;
  }

  static Jet<P, double> upper(double y, const double *p) {
    const auto start = row(y, p);
    const double scale = p[3], slope = start.grad[2] * scale, bend = start.hess[2][2] * scale * scale;
    double x = (y - p[2]) / scale, width = 1 / (absolute(slope) + __builtin_sqrt(absolute(bend)) + 1);
    double from = 0, total = 0;
    LogMean<P> mean;
    for (int panel = 0; panel < 2000; ++panel) {
      const double most = x + from < 0 ? 0.5 * absolute(x + from) : x + from;
      width = width < most ? width : (most > 0.5 ? most : (width < 0.5 ? width : 0.5));
      double share = 0, last = 0;
      gauss_legendre<double>(from, from + width, [&](double w, double weight) {
        const auto at = row(y + scale * w, p);
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
