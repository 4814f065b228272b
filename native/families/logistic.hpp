// Logistic(loc, scale): nll = |z| + 2 log(1 + exp(-|z|)) + log scale, z = (y - loc) / scale; P(Y > y) = 1 / (1 + e^z).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Logistic {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V z = (y - p[0]) / p[1], size = absolute(z);
    const TanhSlope<V> tanh = tanh_with_slope(0.5 * z);
    return location_scale_nll<Order>(Derivatives<V>{size + 2.0 * log1p(exp(-size)), tanh.value, 0.5 * tanh.slope}, z,
                                     p[1]);
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1];
    const auto f = softplus(z);
    return location_scale_tail({-f.value, -f.slope, -f.curvature}, z, p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(log_sf(-y, q));
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    return -interval_nll<2>(lo - p[0], hi - p[0], hi - lo, p[1]);
  }

  // -log P(lo < Y <= hi) = softplus(-u) + softplus(w) - log(1 - exp(-d)), u = (hi - loc) / scale, w = (lo - loc) /
  // scale and d = u - w, as in Salimans et al., "PixelCNN++" (2017), but without their floor. Given the distances of
  // both ends from loc and their own. Mirrored so that the interval lies mostly above loc; then u > 0, and the
  // difference of the slopes in loc is a product.
  template <int Order, class V> static Jet<P, V> interval_nll(V to_low, V to_high, V width, V scale) {
    const auto below = to_low + to_high < 0.0;
    const V r = 1.0 / scale, far = splat<V>(800.0); // exp(-far) is 0: an end so far away leaves nothing
    const V u = min_or_second(far, (below ? -to_low : to_high) * r);
    const V w = max_or_second(-far, (below ? -to_high : to_low) * r), d = min_or_second(far, width * r);
    const auto upper = softplus(-u), lower = softplus(w);
    Jet<P, V> out = {};
    out.value = upper.value + lower.value - log1mexp(-d);
    if constexpr (Order >= 1) {
      const V sides =
          -expm1(-absolute(to_low + to_high) * r) * (1.0 - upper.slope) * lower.slope; // lower.slope - upper.slope
      const V width_share = d / expm1(d);
      out.grad[0] = (below ? sides : -sides) * r;
      out.grad[1] = (u * upper.slope - w * lower.slope + width_share) * r;
      if constexpr (Order >= 2) {
        const V mixed = sides + u * upper.curvature + w * lower.curvature;
        out.hess[0][0] = (upper.curvature + lower.curvature) * r * r;
        out.hess[0][1] = (below ? -mixed : mixed) * r * r;
        out.hess[1][1] = (u * (u * upper.curvature - 2.0 * upper.slope) +
                          w * (w * lower.curvature + 2.0 * lower.slope) - width_share * (2.0 - d - width_share)) *
                         r * r;
      }
    }
    return out;
  }
};

NEGLOG_FAMILY(logistic, Logistic)

} // namespace NEGLOG_ISA
} // namespace neglog
