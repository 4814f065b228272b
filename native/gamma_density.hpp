// The density of the gamma distribution, and the ways in which families hang on it: all of them are functions of a
// shape a and of x > 0 that has a gamma distribution with scale 1.
//
// Derivatives in x are relative: grad[1] = x f_x, hess[0][1] = x f_ax, hess[1][1] = x^2 f_xx. They neither overflow nor
// depend on units; the chain rule takes them with x_p / x and x_pq / x for parameters p and q.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// log(q) and q - 1 - log(q), given q - 1 and, for q far from 1, log q
template <class V> struct Excess {
  V log_q, excess;
};
template <class V> inline Excess<V> excess(V q_minus_one, V log_q) {
  const auto near = absolute(q_minus_one) < 0.5;
  const V t = near ? q_minus_one : V{}, bend = log1pmx(t);
  return {near ? t + bend : log_q, near ? -bend : q_minus_one - log_q};
}

// -log(x^a e^-x / Gamma(a)), minus the log-density of log X, with derivatives in a and x.  V is double or VecD.
// Domain: a > 0, x >= 0, log_x = log x, which may be finite where x has left the range of numbers.
template <int Order, class V> inline Jet<2, V> gamma_nll(V a, V x, V log_x) {
  Derivatives<V> f = {}; // in a
  const auto low = a < 10.0, high = a >= 10.0;
  if (any<decltype(a < a)>(low)) {
    const auto g = log_gamma<Order>(a);
    f = {g.value + x - a * log_x, g.slope - log_x, g.curvature};
  }
  if (any<decltype(a < a)>(high)) { // there this cancels; Loader's deviance form does not
    const V r = 1.0 / a, log_a = log(a);
    const auto error = stirling_series<Order>(a);
    const auto e = excess((x - a) / a, log_x - log_a);
    f.value = high ? a * e.excess + error.value + (kLogSqrt2Pi - 0.5 * log_a) : f.value;
    f.slope = high ? error.slope - 0.5 * r - e.log_q : f.slope;
    f.curvature = high ? error.curvature + r + 0.5 * r * r : f.curvature;
  }
  return {f.value, {f.slope, x - a}, {{f.curvature, splat<V>(-1.0)}, {V{}, a}}};
}

// The same with derivatives in a and q, x = a q, where they stay small for large a: a (q - 1 - log q) +
// stirling_error(a) + log sqrt(2 pi / a).
template <int Order, class V> inline Jet<2, V> gamma_nll_by_mean(V a, V q_minus_one, V log_q) {
  Derivatives<V> f = {}; // log Gamma(a) - a log a + a
  const V r = 1.0 / a, log_a = log(a);
  const auto low = a < 10.0, high = a >= 10.0;
  if (any<decltype(a < a)>(low)) {
    const auto g = log_gamma<Order>(a);
    f = {g.value + a - a * log_a, g.slope - log_a, g.curvature - r};
  }
  if (any<decltype(a < a)>(high)) {
    const auto error = stirling_series<Order>(a);
    f.value = high ? error.value + (kLogSqrt2Pi - 0.5 * log_a) : f.value;
    f.slope = high ? error.slope - 0.5 * r : f.slope;
    f.curvature = high ? error.curvature + 0.5 * r * r : f.curvature;
  }
  const auto e = excess(q_minus_one, log_q);
  return {f.value + a * e.excess, {f.slope + e.excess, a * q_minus_one}, {{f.curvature, q_minus_one}, {V{}, a}}};
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
