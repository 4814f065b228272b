// What a family's struct provides. The loops (loops.hpp) do the rest: domain, support, censoring, broadcasting.
//
//   static constexpr int P                        number of parameters
//   static constexpr bool discrete                values are whole numbers
//   static constexpr double low, high             ends of the support, the widest if they depend on the parameters
//   template <class V> auto valid(const V *p)     mask: the parameters lie in their domains
//   template <class V> auto inside(V y, const V *p)                           mask: y lies in the support
//   template <int Order, class V> Jet<P, V> nll(V y, const V *p)              exact row
//   Jet<P, double> log_cdf(double y, const double *p)                         log P(Y <= y), y between low and high
//   Jet<P, double> log_sf(double y, const double *p)                          log P(Y > y), likewise
// where nll needs much that depends on the parameters alone,
//   template <int Order, class V> auto law(const V *p)                        that, computed once for rows of one law
//   template <int Order, class V> Jet<P, V> nll(V y, const V *p, const auto &law)
// and, where the general way does not do,
//   Jet<P, double> log_interval(double lo, double hi, const double *p)
//                                                 log P(lo < Y <= hi), both ends inside: for a density with a kink, or
//                                                 where there is a closed form
//   static constexpr bool atom = true             `low` of a continuous family has a probability, not in (low, hi]
//
// Order says how many derivatives in the parameters are wanted of an exact row; rows that are not exact always come
// with both. They are exact: analytic, or by jets (jet.hpp). Parameters and y that are not valid may give anything.
// Where the support depends on the parameters, tails beyond its ends are certain() or impossible().
#pragma once

#include "jet.hpp"
#include "quadrature.hpp"
#include "special.hpp"

// At the end of native/families/<name>.hpp: the struct of the family <name>.
#define NEGLOG_FAMILY(name, Struct) using name##_family = Struct;

namespace neglog {
namespace NEGLOG_ISA {

template <class V> inline auto whole(V y) { // for y >= 0; adding 2^52 rounds to a whole number, from there on all are
  return ((y + 0x1p52) - 0x1p52 == y) | (y >= 0x1p52);
}

template <int P> inline Jet<P, double> constant(double value, double derivatives) {
  Jet<P, double> out = {};
  out.value = value;
  for (int i = 0; i < P; ++i) {
    out.grad[i] = derivatives;
    for (int j = i; j < P; ++j) out.hess[i][j] = derivatives;
  }
  return out;
}
template <int P> inline Jet<P, double> certain() { return constant<P>(0, 0); }           // log 1
template <int P> inline Jet<P, double> impossible() { return constant<P>(-kInf, kNaN); } // log 0

// log(exp(big) - exp(small)). The weights are big's and small's shares of the difference; their difference is 1, so
// the Hessian needs only the difference of the gradients, not their squares.
template <int P> inline Jet<P, double> log_difference(const Jet<P, double> &big, const Jet<P, double> &small) {
  const double excess = 1 / expm1(big.value - small.value); // exp(small) / difference
  if (excess == 0 || !(small.value > -kInf)) return big;    // also where small's derivatives have left the range
  Jet<P, double> out = {};
  out.value = big.value + log1mexp(small.value - big.value);
  for (int i = 0; i < P; ++i) out.grad[i] = big.grad[i] + excess * (big.grad[i] - small.grad[i]);
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j)
      out.hess[i][j] = big.hess[i][j] + excess * (big.hess[i][j] - small.hess[i][j]) -
                       excess * (1 + excess) * (big.grad[i] - small.grad[i]) * (big.grad[j] - small.grad[j]);
  return out;
}

// What F prepares for rows with the parameters p, and the nll of rows that share it.
struct NoLaw {};
template <class F, int Order, class V> inline auto prepare(const V *p) {
  if constexpr (requires { F::template law<Order>(p); })
    return F::template law<Order>(p);
  else
    return NoLaw{};
}
template <class F, int Order, class V> inline auto nll_of(V y, const V *p, const NoLaw &) {
  return F::template nll<Order>(y, p);
}
template <class F, int Order, class V> inline auto nll_of(V y, const V *p, const auto &law) {
  return F::template nll<Order>(y, p, law);
}

// log P(lo < Y <= hi) by the general way, for both ends inside: what a log_interval that is not general may call
template <class F> Jet<F::P, double> log_between(double lo, double hi, const double *p); // loops.hpp

// log(1 - exp(small)): the large tail from the small one
template <int P> inline Jet<P, double> log_complement(const Jet<P, double> &small) {
  return log_difference(certain<P>(), small);
}

// A probability of which x_i is a factor: log_p has the value of log p, but the derivatives of log(p / x_i), which stay
// finite as x_i goes to 0. These are the derivatives of log p ...
template <int P> inline Jet<P, double> with_factor(Jet<P, double> log_p, int i, double x) {
  log_p.grad[i] += 1 / x;
  log_p.hess[i][i] -= 1 / x / x;
  return log_p;
}
// ... and this is log(1 - p). The curvature of p in x_i is what the poles 1 / x^2 of log p would cancel to.
template <int P> inline Jet<P, double> log_complement_with_factor(const Jet<P, double> &log_p, int i, double x) {
  const auto small = with_factor(log_p, i, x);
  auto out = log_complement(small);
  const double excess = 1 / expm1(-small.value), slope = log_p.grad[i], whole = small.grad[i];
  if (excess != 0 && small.value > -kInf)
    out.hess[i][i] = -excess * (log_p.hess[i][i] + slope * slope + 2 * slope / x + excess * whole * whole);
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
