// SkewNormal(shape a, loc, scale): nll = z^2 / 2 - log Phi(a z) + log scale + log sqrt(pi / 2), z = (y - loc) / scale.
//
// With h the slope of log Phi at t = a z and e = h + t, which do not cancel (normal_tail), the derivatives of
// g = z^2 / 2 - log Phi(a z) are g_z = z - a h, g_a = -z h, g_zz = 1 + a^2 h e, g_az = -h (1 - t e), g_aa = z^2 h e.
//
// Tails: P(Z > z) = f(z) I, I = the integral of exp(g(z) - g(z + w)) over w > 0, by panels; log-concave, so that the
// exponent falls ever faster. The slope in z is -r = -1/I, and c = r - g_z is the mean of g_z(z + w) - g_z(z). The
// derivative in a is that of Owen's T, exp(-z^2 (1 + a^2) / 2) / (pi (1 + a^2)), which is r h / (1 + a^2) times the
// tail; all others follow from these two, and with d = (c - a e) / (1 + a^2) = r / (1 + a^2) - z nothing cancels.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct SkewNormal {
  static constexpr int P = 3;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (absolute(p[0]) < kInf) & (absolute(p[1]) < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V a = p[0], scale = p[2], z = (y - p[1]) / scale, t = a * z;
    const auto tail = normal_tail(-t);
    const V h = tail.hazard, e = tail.excess;
    Shape<V> g;
    g.value = 0.5 * z * z - tail.log_sf + kLogSqrtHalfPi;
    g.a = -z * h, g.z = z - a * h;
    g.aa = z * z * h * e, g.az = -h * (1.0 - t * e), g.zz = 1.0 + a * a * h * e;
    Jet<P, V> out = moved(g, z, scale);
    out.value += log(scale);
    const V r = 1.0 / scale;
    out.grad[2] += r;
    out.hess[2][2] -= r * r;
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[1]) / p[2], mean = p[0] / __builtin_sqrt(1 + p[0] * p[0]) * kSqrtTwoOverPi;
    return z > mean ? upper(z, p[0], p[2]) : log_complement(mirrored(upper(-z, -p[0], p[2])));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double mirror[P] = {-p[0], -p[1], p[2]};
    return mirrored(log_sf(-y, mirror));
  }

private:
  static constexpr double kLogSqrtHalfPi = 0.22579135264472743236, kSqrtTwoOverPi = 0.79788456080286535588;

  // a function of (a, z) with its derivatives
  template <class V> struct Shape {
    V value, a, z, aa, az, zz;
  };

  // ... as a function of (a, loc, scale)
  template <class V> static Jet<P, V> moved(const Shape<V> &g, V z, V scale) {
    const V r = 1.0 / scale, bent = g.z + z * g.zz;
    Jet<P, V> out = {};
    out.value = g.value;
    out.grad[0] = g.a, out.grad[1] = -g.z * r, out.grad[2] = -z * g.z * r;
    out.hess[0][0] = g.aa, out.hess[0][1] = -g.az * r, out.hess[0][2] = -z * g.az * r;
    out.hess[1][1] = g.zz * r * r, out.hess[1][2] = bent * r * r, out.hess[2][2] = z * (bent + g.z) * r * r;
    return out;
  }

  // from (-a, -loc, scale) to (a, loc, scale)
  static Jet<P, double> mirrored(Jet<P, double> out) {
    out.grad[0] = -out.grad[0], out.grad[1] = -out.grad[1];
    out.hess[0][2] = -out.hess[0][2], out.hess[1][2] = -out.hess[1][2];
    return out;
  }

  static Jet<P, double> upper(double z, double a, double scale) {
    const Fall fall(z, a);
    const auto &at = fall.start;
    const auto [total, slope] = integrate(fall);
    const double r = 1 / total, c = slope / total, h = at.hazard, e = at.excess;
    const double b = 1 + a * a, q = r * h / b, d = (c - a * e) / b;
    Shape<double> g;
    g.value = at.log_sf - 0.5 * z * z - kLogSqrtHalfPi + log(total);
    if (r == 0) return constant<P>(0, 0);
    g.a = q, g.z = -r;
    g.aa = -q * (z * e + h * d + 2 * a / b), g.az = r * h * d, g.zz = -r * c;
    return moved(g, z, scale);
  }

  // g(z + w) - g(z) and its slope less g_z(z)
  struct Fall {
    double z, a, t;
    NormalTail<double> start;

    Fall(double z, double a) : z(z), a(a), t(a * z), start(normal_tail(-t)) {}
    double initial_slope() const { return z - a * start.hazard; }

    struct Point {
      double value, slope;
    };
    Point operator()(double w) const {
      const double there = t + a * w;
      const auto tail = normal_tail(-there);
      const double half = w * (z + 0.5 * w);
      if (t <= 0 && there <= 0) // log Phi(t) = -t^2 / 2 - log h(t): the squares are subtracted by hand
        return {half + a * w * (t + 0.5 * a * w) + log(tail.hazard / start.hazard),
                w * (1 + a * a) - a * (tail.excess - start.excess)};
      return {half + start.log_sf - tail.log_sf, w - a * (tail.hazard - start.hazard)};
    }
  };

  struct Integral {
    double total, slope;
  };

  static Integral integrate(const Fall &fall) {
    // where the density has fallen by exp(-40) < 2^-57: Newton's method from beyond, on a convex function
    const double b = fall.initial_slope();
    double end = b > 0 ? 80 / (b + __builtin_sqrt(b * b + 80)) : __builtin_sqrt(b * b + 80) - b;
    for (int i = 0; i < 40; ++i) {
      const auto at = fall(end);
      const double step = (at.value - 40) / (at.slope + b);
      if (!(step > 0.01 * end)) break;
      end -= step;
    }
    // Phi(a z) turns within a few 1 / a of z = 0
    constexpr double turns[] = {-9, -6, -4, -2, 0, 2, 4, 6, 9};
    double cut[14] = {0}, last = 0;
    int cuts = 1, quarter = 1;
    const double unit = 1 / absolute(fall.a);
    for (int i = 0; i <= 9; ++i) {
      const double turn = i < 9 ? -fall.z + turns[i] * unit : kInf;
      for (; quarter <= 4 && 0.25 * quarter * end <= turn; ++quarter) cut[cuts++] = 0.25 * quarter * end;
      if (turn > 0 && turn < end) cut[cuts++] = turn;
    }
    Integral out = {0, 0};
    for (int i = 1; i < cuts; ++i) {
      gauss_legendre<double>(last, cut[i], [&](double w, double weight) {
        const auto at = fall(w);
        const double density = weight * exp(-at.value);
        out.total += density;
        out.slope += density * at.slope;
      });
      last = cut[i];
    }
    return out;
  }
};

NEGLOG_FAMILY(skew_normal, SkewNormal)

} // namespace NEGLOG_ISA
} // namespace neglog
