// Cauchy(loc, scale): nll = log(1 + z^2) + log(pi scale), z = (y - loc) / scale; P(Y > y) = atan(1 / z) / pi.
//
// Both tails fall like 1 / z, so that sums such as slope + z curvature cancel; here they are products.
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

  // log(A / pi) with A = atan(1 / z); hazard h = 1 / ((1 + z^2) A)
  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1], angle = __builtin_atan2(1, z);
    const Shape<double> shape = ratios(z);
    // -even - z h cancels for large z. With x = 1 / z and A = x - x^3 B it is -x^2 (1 + B (1 - x^2)) / ((1 + x^2) A /
    // x).
    const double x = 1 / z, rest = z > 1 ? arctangent_rest(x) : 0;
    const double h = z > 1 ? x / ((1 + x * x) * (angle * z)) : shape.density / angle;
    const double bracket =
        z > 1 ? -x * x * (1 + rest * (1 - x * x)) / ((1 + x * x) * (angle * z)) : -shape.even - z * h;
    const double value = z > 0 ? log(angle / kPi) : log1p(-__builtin_atan2(1, -z) / kPi);
    return location_scale_tail({value, -h, h * (2 * shape.odd - h), h * bracket}, z, p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(log_sf(-y, q));
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

  // (x - atan x) / x^3 for 0 < x <= 1; its series is 1/3 - x^2 / 5 + x^4 / 7 - ...
  static double arctangent_rest(double x) {
    if (x > 0.25) return (x - __builtin_atan(x)) / (x * x * x);
    double sum = 0;
    for (int odd = 31; odd >= 3; odd -= 2) sum = 1.0 / odd - x * x * sum;
    return sum;
  }
};

NEGLOG_FAMILY(cauchy, Cauchy)

} // namespace NEGLOG_ISA
} // namespace neglog
