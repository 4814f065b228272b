// Sine and cosine, for distributions on the circle.
#pragma once

#include "jet.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class V> struct SinCos {
  V sin, cos;
};

// sin(x) and cos(x).  Domain: all.  Absolute error 3e-16 for |x| < 1e5, sin relative 5e-16 for |x| <= pi / 2; beyond
// 1e5 the reduction adds |x| 2e-27.  x = inf: NaN.  V is double or VecD.  Taylor series on |r| <= pi / 2, r = x - n pi
// with pi in three parts, the first two of 33 bits so that n times them is exact.
template <class V> inline SinCos<V> sin_cos(V x) {
  const V n = madd(x, splat<V>(0.31830988618379067154), splat<V>(0x1.8p52)) - 0x1.8p52;
  V r = madd(n, splat<V>(-0x1.921fb544p+1), x);
  r = madd(n, splat<V>(-0x1.0b4611a6p-33), r);
  r = madd(n, splat<V>(-0x1.3198a2e037073p-68), r);
  const V w = r * r;
  V s = V{}, c = V{};
  double factorial = 1.1240007277776077e21; // 22!
  for (int k = 22; k >= 2; k -= 2) {
    c = madd(c, -w, splat<V>(1 / factorial));
    s = madd(s, -w, splat<V>(1 / (factorial * (k + 1))));
    factorial /= k * (k - 1);
  }
  s = madd(s * w, -r, r), c = 1.0 - w * c;
  const auto odd = n - 2.0 * (madd(n, splat<V>(0.5), splat<V>(0x1.8p52)) - 0x1.8p52) != 0.0;
  return {odd ? -s : s, odd ? -c : c};
}

} // namespace NEGLOG_ISA
} // namespace neglog
