// The density of the gamma distribution, and the ways in which families hang on it: all of them are functions of a
// shape a and of x > 0 that has a gamma distribution with scale 1.
//
// Derivatives in x are relative: grad[1] = x f_x, hess[0][1] = x f_ax, hess[1][1] = x^2 f_xx. They neither overflow nor
// depend on units; the chain rule takes them with x_p / x and x_pq / x for parameters p and q.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// -log(x^a e^-x / Gamma(a)), minus the log-density of log X for X of a gamma distribution with scale 1, as a jet in a
// and, relatively (see above), in x. V is double or VecD.  Domain: a > 0, x >= 0, log_x = log x.  In Stirling's form,
// because a log x - x and log Gamma(a) cancel: a log(a / x) + x - a + stirling_error(a) + log sqrt(2 pi / a).
template <int Order, class V> inline Jet<2, V> gamma_nll(V a, V x, V log_x) {
  const V t = (x - a) / a, r = 1.0 / a, log_a = log(a);
  const auto near = absolute(t) < 0.5;
  const V tame = near ? t : V{}, bend = log1pmx(tame);
  const V log_q = near ? tame + bend : log_x - log_a; // log(x / a)
  const auto error = stirling_error<Order>(a);
  Jet<2, V> out = {};
  out.value = (near ? -a * bend : (x - a) - a * log_q) + error.value + (kLogSqrt2Pi - 0.5 * log_a);
  if constexpr (Order >= 1) {
    out.grad[0] = error.slope - 0.5 * r - log_q;
    out.grad[1] = x - a;
  }
  if constexpr (Order >= 2) {
    out.hess[0][0] = error.curvature + r + 0.5 * r * r;
    out.hess[0][1] = splat<V>(-1.0);
    out.hess[1][1] = a;
  }
  return out;
}

// nll at y = 0, where the density is infinite, finite or zero as the shape is below, equal to or above 1.
template <int P, class V, class AtOne>
inline Jet<P, V> gamma_at_zero(Jet<P, V> nll, V y, V shape, const AtOne &at_one) {
  const auto zero = y == 0.0;
  if (!any<decltype(y < y)>(zero)) return nll;
  const V limit = shape == 1.0 ? at_one() : (shape < 1.0 ? splat<V>(-kInf) : splat<V>(kInf));
  nll.value = zero ? limit : nll.value;
  return nll;
}

// From a and x to the shape and the scale s of y = s x: x_s / x = -1 / s, x_ss / x = 2 / s^2.
template <class V> inline Jet<2, V> in_shape_and_scale(const Jet<2, V> &f, V s) {
  return {f.value,
          {f.grad[0], -f.grad[1] / s},
          {{f.hess[0][0], -f.hess[0][1] / s}, {V{}, (f.hess[1][1] + 2.0 * f.grad[1]) / s / s}}};
}

// From a and x to the shape a and the mean m of y, x = a y / m: x_a / x = 1 / a, x_am / x = -1 / (a m).
template <class V> inline Jet<2, V> in_shape_and_mean(const Jet<2, V> &f, V a, V m) {
  const V r = 1.0 / a, slope = f.grad[1] * r, bend = f.hess[1][1] * r;
  return {f.value,
          {f.grad[0] + slope, -f.grad[1] / m},
          {{f.hess[0][0] + (2.0 * f.hess[0][1] + bend) * r, -(f.hess[0][1] + bend + slope) / m},
           {V{}, (f.hess[1][1] + 2.0 * f.grad[1]) / m / m}}};
}

} // namespace NEGLOG_ISA
} // namespace neglog
