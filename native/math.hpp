// Elementary functions that vectorise, each with its card. V is float, double, VecF or VecD unless a card says
// otherwise.
//
// The errors on the cards are the largest seen over the whole domain by tests/native/test_math.py (every instruction
// set, against mpmath or exhaustive float64); the test fails when a card is exceeded.
#pragma once

#include "simd.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace detail {

template <class R> struct ExpConstants;
template <> struct ExpConstants<float> {
  static constexpr float magic = 0x1.8p23f; // adding it rounds to an integer, which then lies in the low bits
  static constexpr float ln2_hi = 0x1.62e4p-1f, ln2_lo = 0x1.7f7d1cp-20f; // ln2_hi has 14 bits: n * ln2_hi is exact
  static constexpr float lowest = -104.5f, highest = 89.0f;               // beyond: 0, inf
  static constexpr int mantissa = 23, bias = 127;
};
template <> struct ExpConstants<double> {
  static constexpr double magic = 0x1.8p52;
  static constexpr double ln2_hi = 0x1.62e42fefap-1, ln2_lo = 0x1.cf79abc9e3b3ap-40; // ln2_hi has 36 bits
  static constexpr double lowest = -746.0, highest = 710.0;
  static constexpr int mantissa = 52, bias = 1023;
};

// (exp(r) - 1 - r) / r^2 on |r| <= ln2 / 2: minimax in the relative error of exp(r) (3.1e-9 float, 3.6e-18 double).
template <class V> inline V exp_tail(V r) {
  if constexpr (sizeof(Real<V>) == 4) {
    V q = splat<V>(0.0013814635710998807257f);
    q = madd(q, r, splat<V>(0.0083687097859604305253f));
    q = madd(q, r, splat<V>(0.041668386667105604748f));
    q = madd(q, r, splat<V>(0.16666520707971956792f));
    return madd(q, r, splat<V>(0.49999993457969110142f));
  } else {
    V q = splat<V>(2.4999963352877175006e-8);
    q = madd(q, r, splat<V>(2.7630210829173873675e-7));
    q = madd(q, r, splat<V>(2.7557586547031336377e-6));
    q = madd(q, r, splat<V>(0.000024801493214282122403));
    q = madd(q, r, splat<V>(0.00019841269506589555654));
    q = madd(q, r, splat<V>(0.0013888888943505849527));
    q = madd(q, r, splat<V>(0.0083333333334943248214));
    q = madd(q, r, splat<V>(0.041666666666530700855));
    q = madd(q, r, splat<V>(0.16666666666666413042));
    return madd(q, r, splat<V>(0.50000000000000105497));
  }
}

template <class V> struct Reduced {
  V r, n;      // x = n ln 2 + r, n integral
  Int<V> bits; // n as integer
};
template <class V> inline Reduced<V> reduce(V x) {
  using C = ExpConstants<Real<V>>;
  const V t = madd(x, splat<V>(Real<V>(0x1.71547652b82fep+0)), splat<V>(C::magic));
  const V n = t - C::magic;
  V r = madd(n, splat<V>(-C::ln2_hi), x);
  r = madd(n, splat<V>(-C::ln2_lo), r);
  return {r, n, bits<Int<V>>(t) - bits<Int<V>>(splat<V>(C::magic))};
}

template <class V> inline V power_of_two(Int<V> n) { // -1022 <= n <= 1023 (float: -126 ... 127)
  using C = ExpConstants<Real<V>>;
  return bits<V>((n + C::bias) << C::mantissa);
}

// v * 2^n with one rounding, into subnormal numbers and infinity too
template <class V> inline V scale(V v, const Reduced<V> &x) {
  const Int<V> half = x.bits >> 1;
  return v * power_of_two<V>(half) * power_of_two<V>(x.bits - half);
}
#if defined(__AVX512F__) // the masked forms: GCC 12 warns that the others' don't-care operand is uninitialised
template <> inline VecF scale(VecF v, const Reduced<VecF> &x) { return _mm512_maskz_scalef_ps(0xffff, v, x.n); }
template <> inline VecD scale(VecD v, const Reduced<VecD> &x) { return _mm512_maskz_scalef_pd(0xff, v, x.n); }
#endif

// x = 2^k m with m in [sqrt(1/2), sqrt(2)); x positive and normal
template <class V> struct Split {
  V m, k;
  Int<V> exponent; // k
};
template <class V> inline Split<V> split_exponent(V x) {
  if constexpr (sizeof(Real<V>) == 4) {
    constexpr int32_t sqrt_half = 0x3f3504f3;
    const Int<V> shifted = bits<Int<V>>(x) - sqrt_half;
    // as below, so that scalars and vectors share the line
    const V k = bits<V>((shifted >> 23) + 0x4b400000) - 0x1.8p23f;
    return {bits<V>((shifted & 0x007fffff) + sqrt_half), k, shifted >> 23};
  } else {
    constexpr int64_t sqrt_half = 0x3fe6a09e667f3bcd;
    const Int<V> shifted = bits<Int<V>>(x) - sqrt_half;
    // k fits the low bits of 1.5 * 2^52: the conversion that AVX2 and SSE2 have no instruction for
    const V k = bits<V>((shifted >> 52) + int64_t{0x4338000000000000}) - 0x1.8p52;
    return {bits<V>((shifted & int64_t{0x000fffffffffffff}) + sqrt_half), k, shifted >> 52};
  }
}

// k ln 2 + log(1 + f) + c for 1 + f in [sqrt(1/2), sqrt(2)), |c| tiny.
// In double through 2 atanh(s) = 2 s + s w r(w), s = f / (2 + f), w = s^2 (minimax 1.3e-18); in float a division would
// cost more than the longer polynomial f - f^2 / 2 + f^3 p(f) (minimax 5.9e-9).
template <class V> inline V log_from(V f, V k, V c) {
  using R = Real<V>;
  const V half_square = R(0.5) * f * f;
  const V small = madd(k, splat<V>(ExpConstants<R>::ln2_lo), c);
  V low;
  if constexpr (sizeof(R) == 4) {
    V p = splat<V>(-0.0763548291381f);
    p = madd(p, f, splat<V>(0.12763541118f));
    p = madd(p, f, splat<V>(-0.131606672425f));
    p = madd(p, f, splat<V>(0.142015225891f));
    p = madd(p, f, splat<V>(-0.166232965015f));
    p = madd(p, f, splat<V>(0.200012356027f));
    p = madd(p, f, splat<V>(-0.250008224669f));
    p = madd(p, f, splat<V>(0.333333315967f));
    low = madd(f * f * f, p, small);
  } else {
    const V s = f / (f + 2.0), w = s * s;
    V r = splat<V>(0.14795928976613211485);
    r = madd(r, w, splat<V>(0.15314062635789250991));
    r = madd(r, w, splat<V>(0.18183563395085806979));
    r = madd(r, w, splat<V>(0.22222198601839565815));
    r = madd(r, w, splat<V>(0.28571428741973978688));
    r = madd(r, w, splat<V>(0.39999999999417380976));
    r = madd(r, w, splat<V>(0.6666666666666733801));
    low = madd(s, half_square + w * r, small);
  }
  return madd(k, splat<V>(ExpConstants<R>::ln2_hi), f - (half_square - low));
}

} // namespace detail

// exp(x).  Domain: all.  Max error 1.1 ulp (float: 1.1), subnormal results too.  exp(-inf) = 0, exp(inf) = inf, NaN
// stays.
template <class V> inline V exp(V x) {
  using C = detail::ExpConstants<Real<V>>;
  x = max_or_second(splat<V>(C::lowest), x);
  x = min_or_second(splat<V>(C::highest), x);
  const auto reduced = detail::reduce(x);
  const V r = reduced.r;
  return detail::scale(madd(r * r, detail::exp_tail(r), r) + Real<V>(1), reduced);
}

// exp(x) and exp(x) - 1 of one reduction.  Domain: all.  Max errors 1.1 and 2.0 ulp (float: 1.1 and 2.0).  NaN stays.
template <class V> struct ExpBoth {
  V exp, less_1;
};
template <class V> inline ExpBoth<V> exp_and_expm1(V x) {
  using R = Real<V>;
  using C = detail::ExpConstants<R>;
  const auto reduced = detail::reduce(min_or_second(splat<V>(C::highest), max_or_second(splat<V>(C::lowest), x)));
  const V r = reduced.r, p = madd(r * r, detail::exp_tail(r), r); // exp(r) - 1
  // 2^(n-1): the largest n must not overflow before its time; the smallest leave -1 to the last bit
  const V half = detail::power_of_two<V>((reduced.bits > -100 ? reduced.bits : Int<V>{} - 100) - 1);
  const V less_1 = (half * p + (half - R(0.5))) * R(2);
  return {detail::scale(p + R(1), reduced), absolute(x) < R(sizeof(R) == 4 ? 0x1p-25 : 0x1p-54) ? x : less_1};
}

// tanh(x) and its derivative, which 1 - tanh(x)^2 would lose where the function saturates.
template <class V> struct TanhSlope {
  V value, slope;
};
template <class V> inline TanhSlope<V> tanh_with_slope(V x) {
  using R = Real<V>;
  const auto [e, m] = exp_and_expm1(R(-2) * absolute(x));
  const V y = -m / (m + R(2)), one_and = e + R(1);
  const V value = absolute(x) < R(sizeof(R) == 4 ? 0x1p-12 : 0x1p-27) ? x : (x < R(0) ? -y : y);
  return {x == x ? value : x, x == x ? R(4) * e / (one_and * one_and) : x};
}

// tanh(x).  Domain: all.  Max error 2.6 ulp (float: 2.6).  tanh(-inf) = -1, tanh(inf) = 1, tanh(-0.0) = -0.0.
template <class V> inline V tanh(V x) { return tanh_with_slope(x).value; }

// exp(x) - 1.  Domain: all.  Max error 2.0 ulp (float: 2.0).  expm1(-inf) = -1, expm1(inf) = inf, expm1(-0.0) = -0.0.
template <class V> inline V expm1(V x) { return exp_and_expm1(x).less_1; }

// log(x).  Domain: all.  Max error 0.8 ulp (float: 0.9).  log(0) = -inf, log(inf) = inf, x < 0: NaN.
template <class V> inline V log(V x) {
  using R = Real<V>;
  constexpr bool narrow = sizeof(R) == 4;
  const auto subnormal = x < R(narrow ? 0x1p-126 : 0x1p-1022);
  const auto parts = detail::split_exponent(subnormal ? x * R(0x1p54) : x);
  const V k = subnormal ? parts.k - R(54) : parts.k;
  V y = detail::log_from(parts.m - R(1), k, V{});
  y = x == R(kInf) ? x : y;
  y = x == R(0) ? splat<V>(R(-kInf)) : y;
  return x >= R(0) ? y : splat<V>(R(kNaN));
}

// log(1 + x).  Domain: all.  Max error 0.8 ulp (float: 1.0).  log1p(-1) = -inf, x < -1: NaN, log1p(-0.0) = -0.0.
template <class V> inline V log1p(V x) {
  using R = Real<V>;
  const V u = x + R(1);
  const auto parts = detail::split_exponent(u);
  // What rounding 1 + x lost, relative to u = 2^k m. At most half a unit in the last place, so that in float 1 / m may
  // be 2.05 - m, right to 5 %.
  V lost = x > R(1) ? R(1) - (u - x) : x - (u - R(1));
  if constexpr (sizeof(R) == 4)
    lost = u > R(0x1p30) ? V{} : lost * ((R(2.0499) - parts.m) * detail::power_of_two<V>(-parts.exponent));
  else
    lost /= u;
  const auto small = parts.k == R(0);
  V y = detail::log_from(small ? x : parts.m - R(1), parts.k, small ? V{} : lost);
  y = absolute(x) < R(sizeof(R) == 4 ? 0x1p-25 : 0x1p-54) ? x : y;
  y = x == R(kInf) ? x : y;
  y = x == R(-1) ? splat<V>(R(-kInf)) : y;
  return x >= R(-1) ? y : splat<V>(R(kNaN));
}

// log(1 + exp(x)), softplus.  Double only.  Domain: all.  Max error 1.6 ulp.  x -> -inf: exp(x), x -> inf: x.
template <class V> inline V log1pexp(V x) {
  const V y = log1p(exp(-absolute(x)));
  return x > 0.0 ? x + y : (x <= 0.0 ? y : x);
}

// log(1 - exp(x)) for x <= 0.  Double only.  Max error 2.3 ulp.  log1mexp(0) = -inf, x > 0: NaN.
// Maechler, "Accurately computing log(1 - exp(-|a|))" (2012), section 2: the switch at -log 2 balances both errors.
template <class V> inline V log1mexp(V x) {
  const auto near = x > -0.6931471805599453;
  const V a = near ? -expm1(x) : -exp(x);
  const V y = near ? log(a) : log1p(a);
  return x <= 0.0 ? y : splat<V>(kNaN);
}

// 1 / (1 + exp(-x)).  Double only.  Domain: all.  Max error 2.5 ulp, relative in both tails.
template <class V> inline V sigmoid(V x) {
  const V e = exp(-absolute(x));
  const V y = (x >= 0.0 ? splat<V>(1.0) : e) / (e + 1.0);
  return x == x ? y : x;
}

} // namespace NEGLOG_ISA
} // namespace neglog
