// Special functions behind the families, each with its card. V is double or VecD; the scalar ones say double.
// They are held to their cards through the families that use them (tests/properties/test_accuracy.py).
#pragma once

#include "special_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// log n! - ((n + 1/2) log n - n + log sqrt(2 pi)), the error of Stirling's formula, for whole n >= 1 (0 gives the
// table's 0). Table to 15, then 1/(12 n) - 1/(360 n^3) + ... (Abramowitz and Stegun 6.1.41), below 2^-57 after five
// terms.
template <class V> inline V stirling_error_whole(V n) {
  static constexpr double table[16] = {
      0.0,
      0.08106146679532725822,
      0.04134069595540929409,
      0.02767792568499833915,
      0.02079067210376509311,
      0.01664469118982119216,
      0.01387612882307074800,
      0.01189670994589177010,
      0.01041126526197209650,
      0.00925546218271273292,
      0.00833056343336287126,
      0.00757367548795184079,
      0.00694284010720952987,
      0.00640899418800420707,
      0.00595137011275884774,
      0.00555473355196280137,
  };
  const V r = 1.0 / n, w = r * r;
  V series = splat<V>(1.0 / 1188);
  series = madd(series, w, splat<V>(-1.0 / 1680));
  series = madd(series, w, splat<V>(1.0 / 1260));
  series = madd(series, w, splat<V>(-1.0 / 360));
  series = madd(series, w, splat<V>(1.0 / 12)) * r;
  if (!any<decltype(n < n)>(n < 16.0)) return series;
  double lane[Lanes<V>::n];
  __builtin_memcpy(lane, &n, sizeof n);
  for (double &x : lane) x = table[x >= 1.0 ? (x < 16.0 ? static_cast<int>(x) : 15) : 0];
  V tabulated;
  __builtin_memcpy(&tabulated, lane, sizeof tabulated);
  return n < 16.0 ? tabulated : series;
}

// Upper tail of the standard normal distribution: log P(Z > z), hazard h = phi(z) / P(Z > z), and h - z, which is
// what second derivatives need and what cancels where z is large. Double, any z; relative error below 1e-15.
struct NormalTail {
  double log_sf, hazard, excess;
};
inline NormalTail normal_tail(double z) {
  constexpr double sqrt_half = 0.70710678118654752440;
  if (z < 2) {
    const double density = exp(-0.5 * z * z - kLogSqrt2Pi);
    if (z < 0) {
      const double below = 0.5 * __builtin_erfc(-z * sqrt_half), hazard = density / (1 - below);
      return {log1p(-below), hazard, hazard - z};
    }
    const double above = 0.5 * __builtin_erfc(z * sqrt_half), hazard = density / above;
    return {log(above), hazard, hazard - z};
  }
  // Laplace: h - z = 1/(z + 2/(z + 3/(z + ...))), Abramowitz and Stegun 26.2.14, from its innermost term outwards as a
  // quotient p / q without divisions; 12 + 460 / z^2 terms leave 2^-54. Beyond 1e8 it is 1 / z to the last bit.
  double p = z, q = 1;
  if (z < 1e8)
    for (int i = 12 + static_cast<int>(460 / (z * z)); i > 1; --i) {
      const double next = z * p + i * q;
      q = p, p = next;
    }
  const double excess = q / p, hazard = z + excess;
  return {-0.5 * z * z - kLogSqrt2Pi - log(hazard), hazard, excess};
}

// log(1 + exp(x)), its slope 1 / (1 + exp(-x)) and its curvature, each relative in both tails.  Domain: all.
template <class V> inline Derivatives<V> softplus(V x) {
  const V small = exp(-absolute(x)), r = 1.0 / (1.0 + small), nearer = x > 0.0 ? splat<V>(1.0) : small;
  return {log1p(small) + (x > 0.0 ? x : V{}), nearer * r, small * r * r};
}

// log(1 - exp(-t)) as a function of w = log t has slope t / (exp(t) - 1) and the curvature below. Double, t >= 0.
inline Derivatives<double> log_one_minus_exp(double w) {
  const double t = exp(w);
  if (t > 750) return {0, 0, 0};
  const double value = t < 0x1p-60 ? w : log1mexp(-t);
  const double slope = t < 0x1p-60 ? 1 : t / expm1(t);
  // curvature = slope (1 - t - slope); the bracket cancels for small t, where it is minus the Bernoulli series of
  // t / (exp(t) - 1) from its linear term on with the sign of that term changed
  double bracket = 1 - t - slope;
  if (t < 0.5) {
    const double x = t * t;
    double r = -1.0 / 74724249600;
    r = r * x + 691.0 / 1307674368000;
    r = r * x - 1.0 / 47900160;
    r = r * x + 1.0 / 1209600;
    r = r * x - 1.0 / 30240;
    r = r * x + 1.0 / 720;
    r = r * x - 1.0 / 12;
    bracket = r * x - 0.5 * t;
  }
  return {value, slope, slope * bracket};
}

} // namespace NEGLOG_ISA
} // namespace neglog
