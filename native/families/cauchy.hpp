// Cauchy(loc, scale): nll = log(1 + z^2) + log(pi scale), z = (y - loc) / scale; P(Y > y) = atan(1 / z) / pi.
//
// Both tails fall like 1 / z, so that sums such as slope + z curvature cancel; here they are products, and tails and
// intervals are angles.
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Cauchy {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V r = 1.0 / p[1], z = (y - p[0]) / p[1], size = absolute(z);
    const auto huge = size > 1e150; // z^2 overflows
    V value = log1p(z * z);
    if (any<decltype(size < size)>(huge)) value = huge ? 2.0 * log(size) : value;
    Jet<P, V> out = {};
    out.value = value + log(kPi * p[1]);
    if constexpr (Order >= 1) {
      const Shape<V> shape = ratios(z);
      out.grad[0] = -2.0 * shape.odd * r;
      out.grad[1] = shape.even * r;
      if constexpr (Order >= 2) {
        out.hess[0][0] = 2.0 * shape.even * shape.density * r * r;
        out.hess[0][1] = 4.0 * shape.odd * shape.density * r * r;
        out.hess[1][1] = (4.0 * shape.odd * shape.odd - shape.even) * r * r;
      }
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1], r = __builtin_hypot(1, z);
    return through_angles(1 / r, z / r, 1 / r, z / r, 0, p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(log_sf(-y, q));
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    const double a = (lo - p[0]) / p[1], b = (hi - p[0]) / p[1];
    if (a + b < 0) {
      const double q[P] = {-p[0], p[1]};
      return mirrored(log_interval(-hi, -lo, q));
    }
    const double sin_a = 1 / __builtin_hypot(1, a), sin_b = 1 / __builtin_hypot(1, b), both = sin_a * sin_b;
    const double cosines = (a * sin_a) * (b * sin_b);
    return through_angles((hi - lo) / p[1] * both, cosines + both, (a + b) * both, cosines - both, both, p[1]);
  }

private:
  static constexpr double kPi = 3.14159265358979323846;

  // z / (1 + z^2), (1 - z^2) / (1 + z^2) and 1 / (1 + z^2) without overflow
  template <class V> struct Shape {
    V odd, even, density;
  };
  template <class V> static Shape<V> ratios(V z) {
    const auto far = absolute(z) > 1.0;
    const V b = far ? 1.0 / z : z, square = b * b, r = 1.0 / (1.0 + square), even = (1.0 - b) * (1.0 + b) * r;
    return {b * r, far ? -even : even, far ? square * r : r};
  }

  // log(t / pi) where t = A - B is the angle between both ends, seen from the distance of one scale; A and B are those
  // from the upper end of the line, cot A = (lo - loc) / scale, and the upper tail has B = 0. With S = A + B
  //   t_loc = sin t sin S / scale, t_scale = sin t cos S / scale, t_scale_scale = -t_loc_loc,
  //   t_loc_loc = 2 sin t (sin^2 S cos t - sin A sin B) / scale^2,
  //   t_loc_scale = -sin t sin S (1 - 2 cos S cos t) / scale^2.
  // From the far upper tail, where all angles are small, comes the form of the mixed derivative of log t.
  static Jet<P, double> through_angles(double sin_t, double cos_t, double sin_s, double cos_s, double sin_a_sin_b,
                                       double scale) {
    const double t = __builtin_atan2(sin_t, cos_t), k = sin_t / t, r = 1 / scale;
    const double bend = 2 * (sin_s * sin_s * cos_t - sin_a_sin_b);
    const double spread = 2 * versine(sin_t, cos_t) - (t < 1 ? sinc_complement(t * t) : 1 - k); // 1 - 2 cos t + k
    Jet<P, double> out = {};
    out.value = cos_t > 0 ? log(t / kPi) : log1p(-__builtin_atan2(sin_t, -cos_t) / kPi);
    out.grad[0] = k * sin_s * r;
    out.grad[1] = k * cos_s * r;
    out.hess[0][0] = k * (bend - k * sin_s * sin_s) * r * r;
    out.hess[0][1] = -k * sin_s * (versine(sin_s, cos_s) + cos_s * spread) * r * r;
    out.hess[1][1] = -k * (bend + k * cos_s * cos_s) * r * r;
    return out;
  }

  // 1 - cos
  static double versine(double sine, double cosine) { return cosine > 0 ? sine * sine / (1 + cosine) : 1 - cosine; }

  // 1 - sin(x) / x for x^2 = w < 1
  static double sinc_complement(double w) {
    return w / 6 * (1 - w / 20 * (1 - w / 42 * (1 - w / 72 * (1 - w / 110 * (1 - w / 156 * (1 - w / 210))))));
  }
};

NEGLOG_FAMILY(cauchy, Cauchy)

} // namespace NEGLOG_ISA
} // namespace neglog
