// The density of the gamma distribution, and the ways in which families hang on it: all of them are functions of a
// shape a and of x > 0 that has a gamma distribution with scale 1.
//
// Derivatives in x are relative: grad[1] = x f_x, hess[0][1] = x f_ax, hess[1][1] = x^2 f_xx. They neither overflow nor
// depend on units; the chain rule takes them with x_p / x and x_pq / x for parameters p and q.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// -log(x^a e^-x / Gamma(a)) = a (q - 1 - log q) + stirling_error(a) + log sqrt(2 pi / a), q = x / a, without the
// cancellation of a log x - x against log Gamma(a): Loader's deviance form. `excess` is q - 1 - log q.
template <class V> struct GammaDensity {
  V value, log_q, excess;
  Derivatives<V> error; // of Stirling's formula
};
template <int Order, class V> inline GammaDensity<V> gamma_density(V a, V q_minus_one, V log_q) {
  const auto near = absolute(q_minus_one) < 0.5;
  const V t = near ? q_minus_one : V{}, bend = log1pmx(t);
  const V excess = near ? -bend : q_minus_one - log_q;
  const auto error = stirling_error<Order>(a);
  return {a * excess + error.value + (kLogSqrt2Pi - 0.5 * log(a)), near ? t + bend : log_q, excess, error};
}

// The same with derivatives in a and x, minus the log-density of log X.  V is double or VecD.  Domain: a > 0, x >= 0,
// log_x = log x, which may be finite where x has left the range of numbers.
template <int Order, class V> inline Jet<2, V> gamma_nll(V a, V x, V log_x) {
  const auto d = gamma_density<Order>(a, (x - a) / a, log_x - log(a));
  const V r = 1.0 / a;
  Jet<2, V> out = {};
  out.value = d.value;
  if constexpr (Order >= 1) {
    out.grad[0] = d.error.slope - 0.5 * r - d.log_q;
    out.grad[1] = x - a;
  }
  if constexpr (Order >= 2) {
    out.hess[0][0] = d.error.curvature + r + 0.5 * r * r;
    out.hess[0][1] = splat<V>(-1.0);
    out.hess[1][1] = a;
  }
  return out;
}

// The same with derivatives in a and q, x = a q, where they stay small for large a.
template <int Order, class V> inline Jet<2, V> gamma_nll_by_mean(V a, V q, V log_q) {
  const auto d = gamma_density<Order>(a, q - 1.0, log_q);
  const V r = 1.0 / a;
  Jet<2, V> out = {};
  out.value = d.value;
  if constexpr (Order >= 1) {
    out.grad[0] = d.error.slope - 0.5 * r + d.excess;
    out.grad[1] = a * (q - 1.0);
  }
  if constexpr (Order >= 2) {
    out.hess[0][0] = d.error.curvature + 0.5 * r * r;
    out.hess[0][1] = q - 1.0;
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

// From a and q to a and x = a q, where q_a / q = -1 / a and q_aa / q = 2 / a^2, and back, where x_a / x = 1 / a.
template <class V> inline Jet<2, V> at_given_x(const Jet<2, V> &f, V a) {
  const V r = 1.0 / a, slope = f.grad[1] * r, bend = f.hess[1][1] * r;
  return {f.value,
          {f.grad[0] - slope, f.grad[1]},
          {{f.hess[0][0] - 2.0 * f.hess[0][1] * r + (bend + 2.0 * slope) * r, f.hess[0][1] - bend - slope},
           {V{}, f.hess[1][1]}}};
}
template <class V> inline Jet<2, V> at_given_q(const Jet<2, V> &f, V a) {
  const V r = 1.0 / a, slope = f.grad[1] * r, bend = f.hess[1][1] * r;
  return {f.value,
          {f.grad[0] + slope, f.grad[1]},
          {{f.hess[0][0] + (2.0 * f.hess[0][1] + bend) * r, f.hess[0][1] + bend + slope}, {V{}, f.hess[1][1]}}};
}

// In the shape and the scale s of x = y / s, or the mean s of q = y / s: x_s / x = -1 / s, x_ss / x = 2 / s^2.
template <class V> inline Jet<2, V> in_shape_and_scale(const Jet<2, V> &f, V s) {
  return {f.value,
          {f.grad[0], -f.grad[1] / s},
          {{f.hess[0][0], -f.hess[0][1] / s}, {V{}, (f.hess[1][1] + 2.0 * f.grad[1]) / s / s}}};
}

} // namespace NEGLOG_ISA
} // namespace neglog
