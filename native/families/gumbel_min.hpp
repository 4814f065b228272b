// GumbelMin(loc, scale), of minima: -Y is Gumbel(-loc, scale). nll = exp(z) - z + log scale, z = (y - loc) / scale;
// P(Y > y) = exp(-exp(z)).
#pragma once

#include "gumbel.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GumbelMin {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return Gumbel::valid(p); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V q[P] = {-p[0], p[1]};
    return mirrored(Gumbel::nll<Order>(-y, q));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(Gumbel::log_sf(-y, q));
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double q[P] = {-p[0], p[1]};
    return mirrored(Gumbel::log_cdf(-y, q));
  }
};

NEGLOG_FAMILY(gumbel_min, GumbelMin)

} // namespace NEGLOG_ISA
} // namespace neglog
