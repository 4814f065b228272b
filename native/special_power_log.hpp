// t(k, x) = log(1 + k x) / k, which is x at k = 0: the log-survival of the generalised Pareto distribution and the
// reduced variate of the generalised extreme value distribution. V is double or VecD.
#pragma once

#include "special_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// t with its derivatives in k, and what its derivatives in x are made of: t_x = c, t_kx = -w c, t_xx = -k c^2.
template <class V> struct PowerLog {
  V value, k, kk; // t, t_k, t_kk
  V c, w;         // 1 / (1 + k x) and x / (1 + k x)
};

// Domain: 1 + k x > 0, k x below 1e308.  Error 5e-16 (value), 1e-15 (derivatives), relative, times the condition
// number, through k = 0 from both sides.  1 + k x = 0 gives t = inf.
//
// The value is log1p(k x) / k as it stands. With s = k x / (2 + k x), v = 2 x / (2 + k x) and R = atanh_rest(s^2) it is
// v (1 + s^2 R), so t_k = -(w v / 2) (1 + (1 + s) s R) and t_kk = (w^2 v / 2) (1 + (1 + s)^2 R): sums of positive terms
// for |s| <= 1/4. Beyond, t_k = (w - t) / k and t_kk = -(w^2 + 2 t_k) / k lose a factor of 5 at most.
template <int Order, class V> inline PowerLog<V> power_log(V k, V x) {
  const V a = k * x;
  const auto flat = absolute(a) < 0x1p-60;
  PowerLog<V> out = {};
  out.value = flat ? x : log1p(a) / k;
  if constexpr (Order >= 1) {
    out.c = 1.0 / (a + 1.0);
    out.w = x * out.c;
    const V v = x / (0.5 * a + 1.0), s = 0.5 * k * v, rest = atanh_rest(s * s);
    const auto far = !(absolute(s) <= 0.25);
    const V r = 1.0 / (far ? k : splat<V>(1.0));
    out.k = far ? (out.w - out.value) * r : -0.5 * out.w * v * madd((s + 1.0) * s, rest, splat<V>(1.0));
    if constexpr (Order >= 2)
      out.kk = far ? -(out.w * out.w + 2.0 * out.k) * r
                   : 0.5 * out.w * out.w * v * madd((s + 1.0) * (s + 1.0), rest, splat<V>(1.0));
  }
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
