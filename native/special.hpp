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
// what second derivatives need and what cancels where z is large. V is double or VecD.
template <class V> struct NormalTail {
  V log_sf, hazard, excess;
};
// Domain: all.  Relative error 1e-15, and below 0 that of z^2 besides (log_sf, h; the condition number is z^2 too).
//
// For a = |z|, (h - a)(a + 4) is its Chebyshev series to the 27th term (4e-17) in u = (a - 4) / (a + 4); Shepherd and
// Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc(x)" (1981), do the same.
template <class V> inline NormalTail<V> normal_tail(V z) {
  constexpr double c[] = {
      1.8048571559157685655,     -1.1822045015192792384,     0.40195670380623527528,      0.067517927922766585505,
      -0.13822449147915365571,   0.033703667653515472,       0.031656527489777487258,     -0.020800454311598960983,
      -0.0044885898906058685343, 0.0079614111502031518466,   -0.00037358596952200142912,  -0.0024857922421935401591,
      0.00059485599180318114787, 0.00066549578471531166966,  -0.0002892918027857523183,   -0.00015033129050805690835,
      0.00010488754870985674675, 0.000025598410718239396387, -0.000031708594148813257381, -1.4565187827615586957e-6,
      8.1141728164116284346e-6,  -1.12674716437984781e-6,    -1.6905634592427578605e-6,   5.6059185428015344118e-7,
      2.5569143808187905314e-7,  -1.3529413081994808089e-7,  -2.0711142830785070674e-8,   1.4804154022563543531e-8};
  const V a = absolute(z), r = 1.0 / (a + 4.0), u = 1.0 - 8.0 * r;
  V q = splat<V>(c[27]);
  for (int k = 26; k >= 0; --k) q = madd(q, u, splat<V>(c[k]));
  const V excess = q * r, hazard = a + excess, log_density = -0.5 * z * z - kLogSqrt2Pi, density = exp(log_density);
  const auto below = z < 0.0;
  const V mass = density / hazard; // P(Z > a)
  const V tail = log1p(below ? -mass : hazard - 1.0), other = density / (1.0 - mass);
  return {below ? tail : log_density - tail, below ? other : hazard, below ? other - z : excess};
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
