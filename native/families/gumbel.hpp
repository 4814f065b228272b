// Gumbel(loc, scale), of maxima: nll = z + exp(-z) + log scale, z = (y - loc) / scale; P(Y <= y) = exp(-exp(-z)).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Gumbel {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V z = (y - p[0]) / p[1], t = exp(-z);
    // the slope 1 - t cancels around the mode
    return location_scale_nll<Order>(Derivatives<V>{z + t, -expm1(-z), t}, z, p[1]);
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double z = (y - p[0]) / p[1], t = exp(-z);
    return location_scale_tail({-t, t, -t}, z, p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (y - p[0]) / p[1];
    const auto f = log_one_minus_exp(-z);
    return location_scale_tail({f.value, -f.slope, f.curvature}, z, p[1]);
  }
};

NEGLOG_FAMILY(gumbel, Gumbel)

} // namespace NEGLOG_ISA
} // namespace neglog
