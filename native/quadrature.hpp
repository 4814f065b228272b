// Numerical integration over numbers or vectors of nodes.
#pragma once

#include "math.hpp"

namespace neglog {
namespace NEGLOG_ISA {

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
