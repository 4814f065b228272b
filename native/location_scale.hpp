// Chain rules for families that are one standard distribution, moved and stretched: from the standardised variable to
// the parameters.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// g(z), z = (y - loc) / scale, as a function of (loc, scale). Not for power tails: slope + z curvature cancels there.
template <int Order, class V> inline Jet<2, V> location_scale(const Derivatives<V> &g, V z, V scale) {
  const V r = 1.0 / scale;
  Jet<2, V> out = {};
  out.value = g.value;
  if constexpr (Order >= 1) {
    out.grad[0] = -g.slope * r;
    out.grad[1] = -z * g.slope * r;
  }
  if constexpr (Order >= 2) {
    const V mixed = g.slope + z * g.curvature;
    out.hess[0][0] = g.curvature * r * r;
    out.hess[0][1] = mixed * r * r;
    out.hess[1][1] = z * (mixed + g.slope) * r * r;
  }
  return out;
}

// -log f(y) = g(z) + log scale
template <int Order, class V> inline Jet<2, V> location_scale_nll(const Derivatives<V> &g, V z, V scale) {
  auto out = location_scale<Order>(g, z, scale);
  const V r = 1.0 / scale;
  out.value += log(scale);
  out.grad[1] += r;
  out.hess[1][1] -= r * r;
  return out;
}

// a tail, g(z) = log P(Z > z) or log P(Z <= z); where it is certain to the last bit z may be too large for products
inline Jet<2, double> location_scale_tail(const Derivatives<double> &g, double z, double scale) {
  if (g.slope == 0) return constant<2>(g.value, 0);
  return location_scale<2>(g, z, scale);
}

// From a function of (-y, -loc, scale) to (y, loc, scale): lower tails are the upper tails of the mirror image.
template <class V> inline Jet<2, V> mirrored(Jet<2, V> out) {
  out.grad[0] = -out.grad[0];
  out.hess[0][1] = -out.hess[0][1];
  return out;
}

// A function f of w = k log(y / scale) + constant, as a function of scale: w' = -k / scale, w'' = k / scale^2.
inline Jet<1, double> through_log(const Derivatives<double> &f, double k, double scale) {
  const double rate = k / scale;
  return {f.value, {-f.slope * rate}, {{rate * ((f.curvature * k + f.slope) / scale)}}};
}

// A function f of w = shape * u, u = log(y / scale), as a function of (shape, scale).
inline Jet<2, double> through_log(const Derivatives<double> &f, double u, double shape, double scale) {
  const auto in_scale = through_log(f, shape, scale);
  Jet<2, double> out = {};
  out.value = f.value;
  out.grad[0] = f.slope * u;
  out.grad[1] = in_scale.grad[0];
  out.hess[0][0] = f.curvature * u * u;
  out.hess[0][1] = -(f.curvature * u * shape + f.slope) / scale;
  out.hess[1][1] = in_scale.hess[0][0];
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
