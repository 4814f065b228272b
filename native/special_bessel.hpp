// The modified Bessel function I0 on the log scale, which Rice's distribution and von Mises' are made of. V is double
// or VecD.
#pragma once

#include "special_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class V> struct LogBessel {
  V value;      // log(exp(-x) I0(x))
  V ratio, gap; // I1(x) / I0(x), and 1 minus that, which is minus the slope of the value
  V curvature;  // of the value: the slope of the ratio
};

// Domain: x >= 0.  Error, relative: value 1e-15 or that absolute, ratio and gap 1e-14, curvature 1e-11.  x = 0: 0, 0,
// 1, 1/2.
//
// Below 8 the power series of I0 and of I1 (Abramowitz and Stegun 9.6.10), whose terms are all positive; the 24th is
// 1e-19 of the sum. Above, sqrt(2 pi x) exp(-x) I0(x) as a polynomial in u = 16 / x - 1, its Chebyshev series to the
// 28th term (1e-18), and its derivatives.
template <int Order, class V> inline LogBessel<V> log_bessel_i0(V x) {
  constexpr double c[] = {
      1.0081070099672588706,     0.0084236546206292370031,  0.00034144306353125455837, 0.000027931443557009196182,
      3.7194541947328313099e-6,  7.4537090267681439795e-7,  2.2239513141180403483e-7,  9.8571192587178747386e-8,
      5.3995300841987616409e-8,  1.8971211697857656584e-8,  -1.6783176004186927871e-8, -3.3792343795999430271e-8,
      -1.4145764976608934786e-8, 1.9562583592780518549e-8,  2.0477586926557654335e-8,  -1.0290897952085328379e-8,
      -1.8905439908085055029e-8, 6.2928456928559527628e-9,  1.5118196244289942915e-8,  -4.2735611251070286604e-9,
      -1.0356799798847143128e-8, 2.58957848150726174e-9,    5.648372886449431724e-9,   -1.1593134627985119372e-9,
      -2.2312516177877589033e-9, 3.2430820373447352791e-10, 5.5690290240952391168e-10, -4.1864324289909455617e-11,
      -6.5215247256013483135e-11};
  constexpr int degree = sizeof c / sizeof c[0] - 1, terms = 24;
  const auto high = x > 8.0;
  const V low = high ? V{} : x, r = 1.0 / (high ? x : splat<V>(8.0)), u = 16.0 * r - 1.0, q = 0.25 * low * low;
  V p = splat<V>(c[degree]), dp = {}, ddp = {}; // value, slope and half the curvature
  V even = splat<V>(1.0), odd = splat<V>(1.0);  // I0 and I1 / (x / 2)
  for (int k = terms; k > 0; --k) even = madd(even, q * (1.0 / (k * k)), splat<V>(1.0));
  if constexpr (Order >= 1)
    for (int k = terms; k > 0; --k) odd = madd(odd, q * (1.0 / (k * (k + 1))), splat<V>(1.0));
  for (int k = degree - 1; k >= 0; --k) {
    if constexpr (Order >= 2) ddp = madd(ddp, u, dp);
    if constexpr (Order >= 1) dp = madd(dp, u, p);
    p = madd(p, u, splat<V>(c[k]));
  }
  LogBessel<V> out = {};
  out.value = log(high ? p * sqrt(r) : even) - (high ? splat<V>(kLogSqrt2Pi) : low);
  if constexpr (Order >= 1) {
    const V ratio = 0.5 * low * (odd / even), rise = 16.0 * dp / p;
    out.gap = high ? r * (0.5 + r * rise) : 1.0 - ratio;
    out.ratio = high ? 1.0 - out.gap : ratio;
    if constexpr (Order >= 2)
      out.curvature = high ? r * r * (0.5 + r * (2.0 * rise + r * (512.0 * ddp / p - rise * rise)))
                           : 1.0 - 0.5 * (odd / even) - ratio * ratio;
  }
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
