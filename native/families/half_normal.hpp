// HalfNormal(scale), |Normal(0, scale)|: nll = z^2 / 2 + log scale + log sqrt(pi / 2), z = y / scale;
// P(Y > y) = erfc(z / sqrt 2).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct HalfNormal {
  static constexpr int P = 1;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] > 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V scale = p[0], z = y / scale;
    Jet<P, V> out = {};
    out.value = 0.5 * z * z + log(scale) + kLogSqrtHalfPi;
    if constexpr (Order >= 1) out.grad[0] = (1.0 - z) * (1.0 + z) / scale;
    if constexpr (Order >= 2) out.hess[0][0] = (3.0 * z * z - 1.0) / scale / scale;
    return out;
  }

  // as a function of log z: slope -z h, curvature -z h (1 + z (h - z)) with the hazard h of the normal distribution
  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = y / p[0];
    const auto t = normal_tail(z);
    const double value = z < 1 ? log1p(-__builtin_erf(z * kSqrtHalf)) : t.log_sf + kLog2;
    const double slope = -z * t.hazard;
    return through_log({value, slope, slope * (1 + z * t.excess)}, 1, p[0]);
  }

  // slope z f / F = r, which is 1 at 0, curvature r (1 - z^2 - r)
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double w = log_ratio(y, p[0]), z = y / p[0];
    if (z < 1e-20) return through_log({w - kLogSqrtHalfPi, 1, 0}, 1, p[0]);
    const double below = __builtin_erf(z * kSqrtHalf), r = z * exp(-0.5 * z * z - kLogSqrtHalfPi) / below;
    const double value = z < 1 ? log(below) : log1p(-__builtin_erfc(z * kSqrtHalf));
    return through_log({value, r, r == 0 ? 0 : r * ((1 - z) * (1 + z) - r)}, 1, p[0]);
  }

private:
  static constexpr double kLogSqrtHalfPi = 0.22579135264472743236; // log sqrt(pi / 2)
  static constexpr double kSqrtHalf = 0.70710678118654752440, kLog2 = 0.69314718055994530942;
};

NEGLOG_FAMILY(half_normal, HalfNormal)

} // namespace NEGLOG_ISA
} // namespace neglog
