// Modified Bessel functions on the log scale: I0, which Rice's distribution and von Mises' are made of, and K1, of
// which the normal inverse Gaussian is. V is double or VecD.
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

template <class V> struct LogBesselK {
  V value;       // kappa = log(x exp(x) K1(x))
  V slope, rest; // of kappa, and 1 minus that: K0(x) / K1(x)
  V curvature;   // of kappa
};

// Domain: x > 0.  Error, relative: value 1e-15 or that absolute, slope and rest 1e-14, curvature 1e-13.
//
// Below 2 the series of x K1 - 1 and of K0 (Abramowitz and Stegun 9.6.11, 9.6.13), in which ln(x / 2) has become 0
// where they would cancel; the 13th terms are below 1e-18 of the sums. Above, sqrt(2 x / pi) exp(x) K1(x) as a
// polynomial in w = 4 / x - 1, its Chebyshev series to the 32nd term (1e-21), and its derivatives.
template <int Order, class V> inline LogBesselK<V> log_bessel_k1(V x) {
  constexpr double above[] = {
      1.0876378473565338493,      0.082461160116834103789,    -0.0044416078254703254576,  0.00058702294420753206873,
      -0.00011137688108309459954, 0.000026205613349062760116, -7.1500080189278917083e-6,  2.1782564743708768093e-6,
      -7.2345832423649861155e-7,  2.5771285009164563269e-7,   -9.7315604841408367178e-8,  3.8613981201881574964e-8,
      -1.5991197774356233337e-8,  6.8729053445528764847e-9,   -3.0527879371901080622e-9,  1.4050234603098387765e-9,
      -6.6481168699213280834e-10, 2.9525034246652490329e-10,  -1.3394440947859931488e-10, 1.2515315170273114404e-10,
      -8.5205861120388656521e-11, -5.5779671005124519239e-11, 5.8455319199646054311e-11,  9.6557056100392434753e-11,
      -8.1175972475970544261e-11, -7.4407075865773220288e-11, 6.145290782766025043e-11,   4.3919287264818806067e-11,
      -3.4319337995913053175e-11, -1.5003718095117128161e-11, 1.1309425150076286513e-11,  2.617078400300464508e-12,
      -1.8754771266424251919e-12};
  // psi(k + 1) / k!^2, and (psi(k + 1) + psi(k + 2)) / (k! (k + 1)!)
  constexpr double of_k0[] = {-0.57721566490153286061,   0.42278433509846713939,    0.23069608377461678485,
                              0.03489215745643890202,    0.002614787618805209154,   0.00011848039364109725505,
                              3.6126241031992035868e-6,  7.93509652130420917e-8,    1.3167486730385647438e-9,
                              1.7099940727058078439e-11, 1.7859346569870740769e-13, 1.533034340320847271e-15,
                              1.1009270959725744522e-17, 6.7127406599790475099e-20};
  constexpr double of_k1[] = {-0.15443132980306572121,   0.67278433509846713939,   0.18157516696085563434,
                              0.019182189839330562121,   0.0011153594919665281061, 0.000041422476892711430696,
                              1.0715459140911808686e-6,  2.0452860035938779413e-8, 3.0020487465891878859e-10,
                              3.4959287296928819208e-12, 3.309914735250272068e-14, 2.5986411321011287351e-16,
                              1.7195232826992565241e-18, 9.7212075188236180165e-21};
  constexpr int degree = sizeof above / sizeof above[0] - 1, terms = sizeof of_k0 / sizeof of_k0[0] - 1;
  constexpr double sqrt_half_pi = 1.2533141373155002512;
  const V one = splat<V>(1.0), two = splat<V>(2.0);
  const auto high = x > 2.0;
  const V low = high ? two : x, r = 1.0 / (high ? x : two), w = 4.0 * r - 1.0;

  V p = splat<V>(above[degree]), dp = {}, ddp = {}; // value, slope and half the curvature
  for (int k = degree - 1; k >= 0; --k) {
    if constexpr (Order >= 2) ddp = madd(ddp, w, dp);
    if constexpr (Order >= 1) dp = madd(dp, w, p);
    p = madd(p, w, splat<V>(above[k]));
  }
  const V q = 0.25 * low * low, ln = log(0.5 * low);
  V i1 = one, sum = splat<V>(of_k1[terms]); // I1 / (x / 2), and what K1 adds to its multiple
  for (int k = terms; k > 0; --k) {
    i1 = madd(i1, q * (1.0 / (k * (k + 1))), one);
    sum = madd(sum, q, splat<V>(of_k1[k - 1]));
  }
  const V less_1 = q * (2.0 * ln * i1 - sum); // x K1 - 1
  LogBesselK<V> out = {};
  out.value = log1p(high ? sqrt_half_pi * p * sqrt(x) - 1.0 : less_1) + (high ? V{} : low);
  if constexpr (Order >= 1) {
    V i0 = one, k0 = splat<V>(of_k0[terms]);
    for (int k = terms; k > 0; --k) {
      i0 = madd(i0, q * (1.0 / (k * k)), one);
      k0 = madd(k0, q, splat<V>(of_k0[k - 1]));
    }
    const V ratio = (k0 - ln * i0) / (1.0 + less_1), rise = dp / p; // ratio: K0 / (x K1)
    const V near = low * ratio, far = r * (0.5 - 4.0 * r * rise);
    out.slope = high ? far : 1.0 - near;
    out.rest = high ? 1.0 - far : near;
    if constexpr (Order >= 2)
      out.curvature = high ? r * r * (r * (8.0 * rise + r * (32.0 * ddp / p - 16.0 * rise * rise)) - 0.5)
                           : 1.0 - near * near - ratio;
  }
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
