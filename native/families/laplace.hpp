// Laplace(loc, scale): nll = |z| + log(2 scale), z = (y - loc) / scale. The density has a kink at loc, where the slope
// is taken as 0.
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Laplace {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;
  static constexpr double kLog2 = 0.69314718055994530942;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V z = (y - p[0]) / p[1], one = splat<V>(1.0), side = z > 0.0 ? one : (z < 0.0 ? -one : V{});
    return location_scale_nll<Order>(Derivatives<V>{absolute(z) + kLog2, side, V{}}, z, p[1]);
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1];
    if (z >= 0) return location_scale_tail({-z - kLog2, -1.0, 0.0}, z, p[1]);
    const double below = 0.5 * exp(z), h = below / (1 - below);
    return location_scale_tail({log1p(-below), -h, -h * (1 + h)}, z, p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(log_sf(-y, q));
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (lo >= p[0]) return one_sided(lo, hi, p);
    if (hi > p[0]) return across(lo, hi, p);
    const double q[P] = {-p[0], p[1]};
    return mirrored(one_sided(-hi, -lo, q));
  }

private:
  // above loc the tail has no memory: P(lo < Y <= hi) = P(Y > lo) (1 - exp(-(hi - lo) / scale))
  static Jet<P, double> one_sided(double lo, double hi, const double *p) {
    auto out = log_sf(lo, p);
    const auto width = through_log(log_one_minus_exp(log_ratio(hi - lo, p[1])), 1, p[1]);
    out.value += width.value;
    out.grad[1] += width.grad[0];
    out.hess[1][1] += width.hess[0][0];
    return out;
  }

  // lo < loc < hi: P = (1 - e^-b) / 2 + (1 - e^a) / 2, both positive, with a < 0 < b the standardised ends. The
  // derivatives of P hold the difference of the two densities, which for narrow intervals only expm1 knows.
  static Jet<P, double> across(double lo, double hi, const double *p) {
    const double scale = p[1], a = (lo - p[0]) / scale, b = (hi - p[0]) / scale;
    const double left = 0.5 * exp(a), right = 0.5 * exp(-b), excess = 0.5 * (expm1(a) - expm1(-b)); // left - right
    const double mass = -0.5 * (expm1(a) + expm1(-b));
    const double first = left * a + right * b, second = left * a * (2 + a) - right * b * (2 - b);
    Jet<P, double> out = {};
    out.value = mass < 0.5 ? log(mass) : log1p(-(left + right));
    const double in_loc = excess / mass, in_scale = (left * a - right * b) / mass;
    out.grad[0] = in_loc / scale;
    out.grad[1] = in_scale / scale;
    out.hess[0][0] = (-(left + right) / mass - in_loc * in_loc) / scale / scale;
    out.hess[0][1] = ((-excess - first) / mass - in_loc * in_scale) / scale / scale;
    out.hess[1][1] = (-second / mass - in_scale * in_scale) / scale / scale;
    return out;
  }
};

NEGLOG_FAMILY(laplace, Laplace)

} // namespace NEGLOG_ISA
} // namespace neglog
