// What a family's struct provides. The loops (loops.hpp) do the rest: domain, support, censoring, broadcasting.
//
//   static constexpr int P                        number of parameters
//   static constexpr bool discrete                values are whole numbers
//   static constexpr double low, high             ends of the support
//   template <class V> auto valid(const V *p)     mask: the parameters lie in their domains
//   template <class V> auto inside(V y)           mask: y lies in the support
//   template <int Order, class V> Jet<P, V> nll(V y, const V *p)              exact row
//   template <int Order> Jet<P, double> log_cdf(double y, const double *p)    log P(Y <= y), y between the ends
//   template <int Order> Jet<P, double> log_sf(double y, const double *p)     log P(Y > y), likewise
//
// Order says how many derivatives in the parameters are wanted: analytic and exact. Parameters and y that are not valid
// may give anything.
#pragma once

#include "special.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Value, gradient and Hessian; the triangle hess[i][j], i <= j, is filled.
template <int P, class V> struct Jet {
  V value, grad[P], hess[P][P];
};

template <class V> inline auto whole(V y) { // for y >= 0; adding 2^52 rounds to a whole number, from there on all are
  return ((y + 0x1p52) - 0x1p52 == y) | (y >= 0x1p52);
}

// Gauss-Legendre rule on [-1, 1], exact for polynomials of degree 31. The number of nodes is a multiple of any number
// of lanes.
constexpr int kNodes = 16;
constexpr double kNode[kNodes] = {
    -0.98940093499164993260, -0.94457502307323257608, -0.86563120238783174388, -0.75540440835500303390,
    -0.61787624440264374845, -0.45801677765722738634, -0.28160355077925891323, -0.095012509837637440185,
    0.095012509837637440185, 0.28160355077925891323,  0.45801677765722738634,  0.61787624440264374845,
    0.75540440835500303390,  0.86563120238783174388,  0.94457502307323257608,  0.98940093499164993260};
constexpr double kNodeWeight[kNodes] = {
    0.02715245941175409485, 0.06225352393864789286, 0.09515851168249278481, 0.12462897125553387205,
    0.14959598881657673208, 0.16915651939500253819, 0.18260341504492358887, 0.18945061045506849629,
    0.18945061045506849629, 0.18260341504492358887, 0.16915651939500253819, 0.14959598881657673208,
    0.12462897125553387205, 0.09515851168249278481, 0.06225352393864789286, 0.02715245941175409485};

// Calls body(x, weight) at the nodes of the rule on [a, b], as numbers (V = double) or as vectors of them.
template <class V, class Body> inline void gauss_legendre(double a, double b, const Body &body) {
  const double half = 0.5 * (b - a), middle = a + half;
  for (int i = 0; i < kNodes; i += Lanes<V>::n)
    body(middle + half * load<V>(kNode + i), half * load<V>(kNodeWeight + i));
}

} // namespace NEGLOG_ISA
} // namespace neglog
