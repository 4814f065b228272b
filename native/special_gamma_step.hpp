// Ratios of gamma functions: what log Gamma, digamma and trigamma change by over a step, without cancellation however
// small the step is beside the argument, and what is left of log(1 + t) when its beginning has been taken away. Held to
// their cards through the families that use them (tests/properties/test_accuracy.py).
#pragma once

#include "special_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// r(x) = log Gamma(x + 1/2) - log Gamma(x) - log(x) / 2 with derivatives.  Domain: x > 0.  Max error 2e-15, relative;
// r(x) -> -1 / (8 x) for large x.  From x = 10 on the asymptotic series in 1 / x (Tricomi and Erdelyi 1951); below,
// r(x) - r(x + 1) = log(1 - 1 / (2 x + 1)^2) / 2, ten times, where all terms have one sign.
template <int Order, class V> inline Derivatives<V> half_step(V x) {
  constexpr double c[] = {
      -1.0 / 8,       1.0 / 192,        -1.0 / 640,          17.0 / 14336,         -31.0 / 18432,
      691.0 / 180224, -5461.0 / 425984, 929569.0 / 15728640, -3202291.0 / 8912896, 221930581.0 / 79691776};
  const auto low = x < 10.0;
  const V r = 1.0 / (low ? x + 10.0 : x), w = r * r;
  Derivatives<V> out = {};
  for (int k = 9; k >= 0; --k) {
    const double n = 2 * k + 1; // c x^-n, -n c x^-(n + 1), n (n + 1) c x^-(n + 2)
    out.value = madd(out.value, w, splat<V>(c[k]));
    if constexpr (Order >= 1) out.slope = madd(out.slope, w, splat<V>(-n * c[k]));
    if constexpr (Order >= 2) out.curvature = madd(out.curvature, w, splat<V>(n * (n + 1) * c[k]));
  }
  out.value *= r;
  if constexpr (Order >= 1) out.slope *= w;
  if constexpr (Order >= 2) out.curvature *= w * r;
  if (!any<decltype(x < x)>(low)) return out;

  V lower = splat<V>(1.0), upper = splat<V>(1.0), sum = {}, sum2 = {}, product = splat<V>(1.0);
  const V from = low ? x : splat<V>(1.0);
  for (int k = 0; k < 10; ++k) {
    const V z = from + double(k), root = 2.0 * z + 1.0, pair = z * (z + 1.0);
    lower *= 4.0 * pair, upper *= root * root;
    // the slope is a sum of 1 / d, the curvature of -d' / d^2, d = 2 root pair: one fraction each
    const V d = 2.0 * root * pair;
    if constexpr (Order >= 2) sum2 = sum2 * (d * d) + (12.0 * pair + 2.0) * (product * product);
    if constexpr (Order >= 1) sum = sum * d + product, product *= d;
  }
  out.value = low ? out.value + 0.5 * log(lower / upper) : out.value;
  if constexpr (Order >= 1) out.slope = low ? out.slope + sum / product : out.slope;
  if constexpr (Order >= 2) out.curvature = low ? out.curvature - sum2 / (product * product) : out.curvature;
  return out;
}

// deviance(x, x + excess) where the distance of the mean is known exactly, and log(x / mean) in case it is large
template <class V> inline V deviance_from(V x, V excess, V log_quotient) {
  const V t = excess / x;
  const auto far = absolute(t) > 0.5;
  const V near = -x * log1pmx(far ? V{} : t);
  return any<decltype(x < x)>(far) ? (far ? madd(x, log_quotient, excess) : near) : near;
}

// What digamma and trigamma change by from x to x + step.
template <class V> struct PolygammaStep {
  V digamma, trigamma;
};

// Domain: x > 0, step >= 0.  Error 5e-15, relative, for steps of any size.  From x = 10 on, Stirling's formula term by
// term; below, the recurrence lifts both ends by ten, and its terms are differences of one sign.
template <int Order, class V> inline PolygammaStep<V> polygamma_step(V x, V step) {
  const auto low = x < 10.0;
  const V a = low ? x + 10.0 : x, b = a + step, ratio = step / a;
  const Derivatives<V> series = stirling_series_step<Order>(a, step);
  PolygammaStep<V> out = {};
  const V between = ratio / b; // 1 / a - 1 / b
  out.digamma = log1p(ratio) + 0.5 * between + series.slope;
  if constexpr (Order >= 2) out.trigamma = series.curvature - between * (1.0 + 0.5 * (1.0 / a + 1.0 / b));
  if (!any<decltype(x < x)>(low)) return out;

  // step * sum 1 / ((x + k) (x + step + k)), and for trigamma the sum of (1 / (x + k) + 1 / (x + step + k)) times that
  V sum = {}, sum2 = {};
  const V first = low ? x : splat<V>(1.0);
  for (int k = 0; k < 10; ++k) {
    const V p = 1.0 / (first + double(k)), q = 1.0 / (first + step + double(k));
    sum = madd(p, q, sum);
    if constexpr (Order >= 2) sum2 = madd(p * q, p + q, sum2);
  }
  out.digamma = low ? madd(step, sum, out.digamma) : out.digamma;
  if constexpr (Order >= 2) out.trigamma = low ? out.trigamma - step * sum2 : out.trigamma;
  return out;
}

// f(x) - f(x + h) - f(x + k) + f(x + h + k) for f = 1 / x and 1 / x^2: positive, and without cancellation
template <class V> struct CrossedPowers {
  V first, second;
};
template <class V> inline CrossedPowers<V> crossed_powers(V x, V h, V k) {
  const V a = x + h, b = x + k, c = a + k, xa = x * a, bc = b * c, both = xa * bc, hk = h * k;
  return {hk / xa * ((x + c) / bc), hk / both * (((x + a) * (x + c) * (bc + xa) - 2.0 * xa * xa) / both)};
}

// log of Gamma(x + h + k) Gamma(x) / (Gamma(x + h) Gamma(x + k)), with derivatives in x.  Domain: x > 0, h, k >= 0.
// Error 2e-15, relative, however small k and h k / x are. Stirling's formula from x = 10 on and the recurrence below,
// each term by itself.
template <int Order, class V> inline Derivatives<V> log_gamma_cross(V x, V h, V k) {
  const auto low = x < 10.0;
  const V z = low ? x + 10.0 : x, a = z + h, b = z + k, shrunk = log1p(-h / a * (k / b)); // log(z c / (a b))
  const auto near = stirling_series_step<Order>(z, k), far = stirling_series_step<Order>(a, k);
  const auto powers = crossed_powers(z, h, k);
  Derivatives<V> out = {};
  out.value = (z - 0.5) * shrunk + k * log1p(h / b) + h * log1p(k / a) + (far.value - near.value);
  if constexpr (Order >= 1) out.slope = shrunk - 0.5 * powers.first + (far.slope - near.slope);
  if constexpr (Order >= 2) out.curvature = powers.first + 0.5 * powers.second + (far.curvature - near.curvature);
  if (!any<decltype(x < x)>(low)) return out;
  V missing = {}, left = splat<V>(1.0); // the product of x (x + h + k) / ((x + h) (x + k)), and what it lacks of 1
  const V first = low ? x : splat<V>(1.0);
  for (int i = 0; i < 10; ++i) {
    const V u = first + double(i), v = u + h, w = u + k;
    missing += h / v * (k / w) * left;
    left *= u / v * ((v + k) / w);
    const auto lift = crossed_powers(u, h, k);
    if constexpr (Order >= 1) out.slope = low ? out.slope - lift.first : out.slope;
    if constexpr (Order >= 2) out.curvature = low ? out.curvature + lift.second : out.curvature;
  }
  out.value = low ? out.value - (missing < 0.5 ? log1p(-missing) : log(left)) : out.value;
  return out;
}

// stirling_error(1 / x) as a function of x, analytic at x = 0.  Domain: x >= 0.
template <int Order, class V> inline Derivatives<V> stirling_error_inverse(V x) {
  constexpr double c[] = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680, // as in stirling_series
                          1.0 / 1188, -691.0 / 360360.0, 1.0 / 156,  -3617.0 / 122400};
  const auto high = x > 0.1;
  const V y = high ? V{} : x, w = y * y;
  Derivatives<V> out = {};
  for (int k = 7; k >= 0; --k) {
    const double n = 2 * k + 1; // c x^n, n c x^(n - 1), n (n - 1) c x^(n - 2)
    out.value = madd(out.value, w, splat<V>(c[k]));
    if constexpr (Order >= 1) out.slope = madd(out.slope, w, splat<V>(n * c[k]));
    if constexpr (Order >= 2)
      if (k > 0) out.curvature = madd(out.curvature, w, splat<V>(n * (n - 1) * c[k]));
  }
  out.value *= y;
  if constexpr (Order >= 2) out.curvature *= y;
  if (!any<decltype(x < x)>(high)) return out;
  const V u = 1.0 / (high ? x : splat<V>(1.0));
  const Derivatives<V> far = stirling_error<Order>(u);
  out.value = high ? far.value : out.value;
  if constexpr (Order >= 1) out.slope = high ? -u * u * far.slope : out.slope;
  if constexpr (Order >= 2) out.curvature = high ? u * u * u * (u * far.curvature + 2.0 * far.slope) : out.curvature;
  return out;
}

// stirling_error(1 / alpha + step) - stirling_error(1 / alpha) with derivatives in alpha >= 0, analytic at 0; step >=
// 0.
template <int Order, class V> inline Derivatives<V> stirling_step(V alpha, V step) {
  const V r = 1.0 / madd(alpha, step, splat<V>(1.0)), w = r * r;
  const auto from = stirling_error_inverse<Order>(alpha), to = stirling_error_inverse<Order>(alpha * r);
  Derivatives<V> out = {to.value - from.value, {}, {}};
  if constexpr (Order >= 1) out.slope = to.slope * w - from.slope;
  if constexpr (Order >= 2) out.curvature = (to.curvature * r - 2.0 * step * to.slope) * (w * r) - from.curvature;
  return out;
}

// (t - log(1 + t)) / t^2 and (1 + t) times its slope.  Domain: t > -1, given with 1 + t and log(1 + t), which t may
// have lost.  At 0: 1/2 and -1/3.  Error 3e-16, relative, of the value, 2e-15 of the slope.
template <class V> struct Log1pRest {
  V value, slope;
};
template <class V> inline Log1pRest<V> log1p_rest(V t, V one_plus, V log_one_plus) {
  // as in log1pmx, s = t / (2 + t): log(1 + t) = 2 s + 2 s^3 (1/3 + s^2/5 + ...)
  const V half = 1.0 / (t + 2.0), s = t * half, w = s * s;
  V r = splat<V>(1.0 / 27);
  for (int odd = 25; odd >= 3; odd -= 2) r = madd(r, w, splat<V>(1.0 / odd));
  const V cube = 2.0 * r * half * half * half;
  Log1pRest<V> out = {half - t * cube, one_plus * (half + 2.0 * cube) - 1.0};
  const auto far = absolute(s) > 0.25;
  if (!any<decltype(s < s)>(far)) return out;
  const V u = 1.0 / (far ? t : splat<V>(1.0)), value = (t - log_one_plus) * u * u;
  out.value = far ? value : out.value;
  out.slope = far ? (1.0 - 2.0 * one_plus * value) * u : out.slope;
  return out;
}

// log(1 + x) / x.  Domain: x >= 0.  Error 1e-15, relative; from r(x) = (x - log(1 + x)) / x^2 where x is below 1.
template <class V> inline Derivatives<V> log1p_ratio(V x) {
  const V grown = 1.0 + x, w = 1.0 / grown, log_grown = log1p(x), u = 1.0 / x;
  const auto far = x > 1.0;
  const auto rest = log1p_rest(x, grown, log_grown);
  const V s = rest.slope;
  Derivatives<V> out = {far ? log_grown * u : 1.0 - x * rest.value, -0.5 * (x * s + 1.0) * w,
                        (s * grown + 1.0) * w * w};
  out.slope = far ? (w - out.value) * u : out.slope;
  out.curvature = far ? (-w * w - 2.0 * out.slope) * u : out.curvature;
  return out;
}

// exp(x) - 1 - x.  Error 4 ulp.  Taylor's series for |x| < 1, beyond that nothing cancels.
template <class V> inline V expm1mx(V x) {
  const auto far = absolute(x) > 1.0;
  const V y = far ? V{} : x;
  V r = splat<V>(1.0 / 20);
  for (int n = 19; n >= 3; --n) r = madd(r * y, splat<V>(1.0 / n), splat<V>(1.0 / n)); // 1/n (1 + x/(n+1) (1 + ...
  const V near = 0.5 * y * y * madd(r, y, splat<V>(1.0));
  return any<decltype(x < x)>(far) ? (far ? expm1(x) - x : near) : near;
}

} // namespace NEGLOG_ISA
} // namespace neglog
