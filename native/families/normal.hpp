// Normal(loc, scale): nll = z^2 / 2 + log scale + log sqrt(2 pi), z = (y - loc) / scale.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Normal {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V scale = p[1], z = (y - p[0]) / scale;
    Jet<P, V> out = {};
    out.value = 0.5 * z * z + log(scale) + kLogSqrt2Pi;
    if constexpr (Order >= 1) {
      out.grad[0] = -z / scale;
      out.grad[1] = (1.0 - z) * (1.0 + z) / scale;
    }
    if constexpr (Order >= 2) {
      const V precision = 1.0 / scale / scale;
      out.hess[0][0] = precision;
      out.hess[0][1] = 2.0 * z * precision;
      out.hess[1][1] = (3.0 * z * z - 1.0) * precision;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) { return tail((y - p[0]) / p[1], p[1], 1.0); }
  static Jet<P, double> log_cdf(double y, const double *p) { return tail((p[0] - y) / p[1], p[1], -1.0); }

private:
  // log P(Z > z) where dz/dloc = -side / scale and dz/dscale = -z / scale. Its slope in z is -h and the slope of h is
  // h (h - z); written with h - z nothing cancels in the tail.
  static Jet<P, double> tail(double z, double scale, double side) {
    const NormalTail t = normal_tail(z);
    const double h = t.hazard / scale;
    Jet<P, double> out = {};
    out.value = t.log_sf;
    if (t.hazard == 0) return out; // certain to the last bit, and z may be so large that z^2 overflows
    out.grad[0] = side * h;
    out.grad[1] = h * z;
    const double bend = t.excess * z;
    out.hess[0][0] = -h * (t.excess / scale);
    out.hess[0][1] = -side * (h / scale) * (1 + bend);
    out.hess[1][1] = -(h / scale) * z * (2 + bend);
    return out;
  }
};

NEGLOG_FAMILY(normal, Normal)

} // namespace NEGLOG_ISA
} // namespace neglog
