// log Gamma and its derivatives, and what is left of them when Stirling's formula has been taken away. V is double or
// VecD. Held to their cards by tests/native/test_special.py.
#pragma once

#include "jet.hpp"

namespace neglog {
namespace NEGLOG_ISA {

constexpr double kLogSqrt2Pi = 0.91893853320467274178;

// log(a / b) for a >= 0, b > 0, also where a / b leaves the range of normal numbers.
template <class V> inline V log_ratio(V a, V b) {
  const V quotient = a / b;
  V y = log(quotient);
  const auto outside = (quotient < 0x1p-1022) | (quotient == kInf);
  if (any<decltype(quotient < quotient)>(outside)) y = outside ? log(a) - log(b) : y;
  return y;
}

// (atanh(s) / s - 1) / s^2 = 1/3 + s^2/5 + s^4/7 + ... as a function of w = s^2.  Domain: 0 <= w <= 1/16, where 13
// terms leave 2^-54 of atanh(s) / s.  With s = x / (2 + x) it gives log1p(x) = 2 atanh(s) less its first terms.
template <class V> inline V atanh_rest(V w) {
  V r = splat<V>(1.0 / 27);
  for (int odd = 25; odd >= 3; odd -= 2) r = madd(r, w, splat<V>(1.0 / odd));
  return r;
}

// log(1 + x) - x.  Domain: x >= -1.  Max error 6 ulp.  With s = x / (2 + x) it is s (2 s^2 (1/3 + s^2/5 + ...) - x),
// which does not cancel; |s| <= 1/4.  Beyond, the difference loses a factor of 5 at most.
template <class V> inline V log1pmx(V x) {
  const V s = x / (x + 2.0), w = s * s;
  const V near = s * (2.0 * w * atanh_rest(w) - x);
  const auto far = absolute(s) > 0.25;
  return any<decltype(s < s)>(far) ? (far ? log1p(x) - x : near) : near;
}

// x log(x / mean) + mean - x for x > 0, mean >= 0: half the deviance of a Poisson or gamma row, never negative. Loader,
// "Fast and accurate computation of binomial probabilities" (2000), calls it bd0.
template <class V> inline V deviance(V x, V mean) {
  const V t = (mean - x) / x;
  const auto far = absolute(t) > 0.5;
  const V near = -x * log1pmx(far ? V{} : t);
  return any<decltype(x < x)>(far) ? (far ? x * log_ratio(x, mean) + (mean - x) : near) : near;
}

// B_2k / (2k (2k - 1)), of x^(1 - 2k), Abramowitz and Stegun 6.1.41; the next term is below 2^-57 at x = 10
constexpr double kStirling[] = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                                1.0 / 1188, -691.0 / 360360.0, 1.0 / 156,  -3617.0 / 122400};

// What Stirling's formula leaves of log Gamma(x) for x >= 10: 1/(12 x) - 1/(360 x^3) + ..., with derivatives.
template <int Order, class V> inline Derivatives<V> stirling_series(V x) {
  const V r = 1.0 / x, w = r * r;
  Derivatives<V> out = {splat<V>(kStirling[7]), splat<V>(-15 * kStirling[7]), splat<V>(15 * 16 * kStirling[7])};
  for (int k = 6; k >= 0; --k) {
    const double n = 2 * k + 1; // c x^-n, -n c x^-(n + 1), n (n + 1) c x^-(n + 2)
    out.value = madd(out.value, w, splat<V>(kStirling[k]));
    if constexpr (Order >= 1) out.slope = madd(out.slope, w, splat<V>(-n * kStirling[k]));
    if constexpr (Order >= 2) out.curvature = madd(out.curvature, w, splat<V>(n * (n + 1) * kStirling[k]));
  }
  out.value *= r;
  if constexpr (Order >= 1) out.slope *= w;
  if constexpr (Order >= 2) out.curvature *= w * r;
  return out;
}

// What stirling_series changes by from x to x + step.  Domain: x >= 10, step >= 0.  Error 1e-15, relative, however
// small step / x is: with r = 1 / x and u = 1 / (x + step), u s(u^2) - r s(r^2) = (u - r) (s(r^2) + u (u + r) s[r^2,
// u^2]), whose divided difference s[,] is Horner's rule of Horner's rule; likewise for the derivatives.
template <int Order, class V> inline Derivatives<V> stirling_series_step(V x, V step) {
  const V r = 1.0 / x, u = 1.0 / (x + step), v = r * r, w = u * u, less = -step * r * u, both = r + u;
  Derivatives<V> at = {}, divided = {}; // of the polynomials in v, and between v and w
  for (int k = 7; k >= 0; --k) {
    const double n = 2 * k + 1;
    divided.value = madd(divided.value, w, at.value), at.value = madd(at.value, v, splat<V>(kStirling[k]));
    if constexpr (Order >= 1)
      divided.slope = madd(divided.slope, w, at.slope), at.slope = madd(at.slope, v, splat<V>(-n * kStirling[k]));
    if constexpr (Order >= 2)
      divided.curvature = madd(divided.curvature, w, at.curvature),
      at.curvature = madd(at.curvature, v, splat<V>(n * (n + 1) * kStirling[k]));
  }
  return {less * madd(u * both, divided.value, at.value), less * both * madd(w, divided.slope, at.slope),
          less * madd(u * both, madd(w, divided.curvature, at.curvature), v * at.curvature)};
}

// log of x (x + 1) ... (x + 9) / y^10 and the first and second derivative of log x (x + 1) ... (x + 9): what lifts
// log Gamma(x) to y = x + 10. The quotient is near 1, so its logarithm has a small rounding error.
template <int Order, class V> inline Derivatives<V> log_rising_ten(V x, V y) {
  V p = x, d = splat<V>(1.0), e = {}; // product, its first and half its second derivative
  for (int k = 1; k < 10; ++k) {
    const V next = x + double(k);
    if constexpr (Order >= 2) e = madd(e, next, d);
    if constexpr (Order >= 1) d = madd(d, next, p);
    p *= next;
  }
  const V y2 = y * y, y4 = y2 * y2;
  Derivatives<V> out = {};
  out.value = log(p / (y4 * y4 * y2));
  if constexpr (Order >= 1) out.slope = d / p;
  if constexpr (Order >= 2) out.curvature = 2.0 * e / p - out.slope * out.slope;
  return out;
}

// log Gamma(x), digamma and trigamma.  Domain: x >= 1e-300.  Max error 4e-15 (trigamma: 8e-15), absolute below 1 and
// relative above (no relative precision at the zeros 1 and 2, and of digamma at 1.46).
template <int Order, class V> inline Derivatives<V> log_gamma(V x) {
  const auto low = x < 10.0;
  const V y = low ? x + 10.0 : x, r = 1.0 / y, log_y = log(y);
  Derivatives<V> out = stirling_series<Order>(y), lift = {};
  if (any<decltype(x < x)>(low)) lift = log_rising_ten<Order>(low ? x : splat<V>(1.0), low ? y : splat<V>(11.0));
  out.value = (x - 0.5) * log_y + (kLogSqrt2Pi + out.value - y - (low ? lift.value : V{}));
  if constexpr (Order >= 1) out.slope = log_y + (out.slope - 0.5 * r - (low ? lift.slope : V{}));
  if constexpr (Order >= 2) out.curvature = out.curvature + r + 0.5 * r * r - (low ? lift.curvature : V{});
  return out;
}

// log Gamma(x) - ((x - 1/2) log x - x + log sqrt(2 pi)), the error of Stirling's formula, with derivatives.  Domain:
// x >= 1e-300.  It falls from -log(x)/2 - 0.92 at 0 to 1 / (12 x).  Max error 4e-15, absolute below 1 and relative
// above. From x = 10 on it is the series, with a relative error of 5e-16.
template <int Order, class V> inline Derivatives<V> stirling_error(V x) {
  const auto low = x < 10.0;
  const V y = low ? x + 10.0 : x;
  Derivatives<V> out = stirling_series<Order>(y);
  if (!any<decltype(x < x)>(low)) return out;
  const V safe = low ? x : splat<V>(1.0), above = low ? y : splat<V>(11.0), r = 1.0 / safe, s = 1.0 / above;
  const Derivatives<V> lift = log_rising_ten<Order>(safe, above);
  const V log_step = log1p(10.0 * r); // log(y / x)
  out.value = low ? (safe - 0.5) * log_step - 10.0 - lift.value + out.value : out.value;
  if constexpr (Order >= 1) out.slope = low ? log_step + 0.5 * (r - s) - lift.slope + out.slope : out.slope;
  if constexpr (Order >= 2)
    out.curvature = low ? (s - r) + 0.5 * (s * s - r * r) - lift.curvature + out.curvature : out.curvature;
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
