// Normal(loc, scale): nll = z^2 / 2 + log scale + log sqrt(2 pi), z = (y - loc) / scale.
#pragma once

#include "location_scale.hpp"

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

  // The slope of log P(Z > z) is -h and the slope of h is h (h - z); written with h - z nothing cancels in the tail.
  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1];
    const auto t = normal_tail(z);
    return location_scale_tail({t.log_sf, -t.hazard, -t.hazard * t.excess}, z, p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(log_sf(-y, q));
  }
};

NEGLOG_FAMILY(normal, Normal)

} // namespace NEGLOG_ISA
} // namespace neglog
