// ContinuousBernoulli(logit): the density e^(logit y) on [0, 1], up to its constant: an exponential distribution cut
// off.
//
// With a = |logit| and t = y, or 1 - y for a positive logit, nll = a t + log((1 - e^-a) / a). For small a the terms
// cancel but for a (t - 1/2) + S(a), S(a) = log(sinh(a / 2) / (a / 2)), which is a series in a^2.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// S(x) = sum of B_2n / (2n (2n)!) x^2n. For |x| <= 1 the tenth term is 1e-17 of the first.
constexpr double kLogSinhRatio[] = {1.0 / 24,
                                    -1.0 / 2880,
                                    1.0 / 181440,
                                    -1.0 / 9676800,
                                    2.0876756987868098979e-9,
                                    -4.403491782239577654e-11,
                                    9.5589546647747705949e-13,
                                    -2.1185501852016142918e-14,
                                    4.7700344757099136467e-16,
                                    -1.0874343492790309365e-17};
constexpr int kLogSinhTerms = 10;

template <class V> inline Derivatives<V> log_sinh_ratio(V x) {
  const V square = x * x;
  V value = V{}, slope = V{}, curvature = V{};
  for (int i = kLogSinhTerms - 1; i >= 0; --i) {
    const double power = 2.0 * (i + 1), term = kLogSinhRatio[i];
    value = madd(value, square, splat<V>(term));
    slope = madd(slope, square, splat<V>(power * term));
    curvature = madd(curvature, square, splat<V>(power * (power - 1) * term));
  }
  return {value * square, slope * x, curvature};
}

// S(part a) - S(a) and its derivatives in a, from gap = 1 - part
inline Derivatives<double> log_sinh_ratio_change(double a, double part, double gap) {
  const double u = a * a * part * part, v = a * a, scale = -gap * (1 + part);
  double value = 0, slope = 0, curvature = 0;     // divided differences of the series in u = x^2 ...
  double at_v = 0, slope_at_v = 0, bend_at_v = 0; // ... by Horner's rule, and what they take from it at v
  for (int i = kLogSinhTerms - 1; i >= 0; --i) {
    const double power = 2.0 * (i + 1), term = kLogSinhRatio[i];
    at_v = at_v * v + term, slope_at_v = slope_at_v * v + power * term;
    bend_at_v = bend_at_v * v + power * (power - 1) * term;
    value = value * u + at_v, slope = slope * u + slope_at_v, curvature = curvature * u + bend_at_v;
  }
  return {a * a * scale * value, a * scale * slope, scale * curvature};
}

struct ContinuousBernoulli {
  static constexpr int P = 1;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = 1;

  template <class V> static auto valid(const V *p) { return absolute(p[0]) < kInf; }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y <= 1.0); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V a = absolute(p[0]);
    const auto up = p[0] > 0.0, near = a < 1.0;
    const V t = up ? 1.0 - y : y, centred = up ? 0.5 - y : y - 0.5;
    const auto small = log_sinh_ratio(near ? a : V{});
    const V far = near ? splat<V>(1.0) : a, r = 1.0 / far, e = exp(-far), rest = 1.0 - e;
    Jet<P, V> out = {};
    out.value = near ? madd(a, centred, small.value) : madd(far, t, log(rest * r));
    if constexpr (Order >= 1) {
      const V slope = near ? centred + small.slope : t - (r - e / rest);
      out.grad[0] = up ? slope : -slope;
    }
    if constexpr (Order >= 2) out.hess[0][0] = near ? small.curvature : r * r - e / (rest * rest);
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) { return log_mass(0, 1 - y, y, 1 - y, p); }
  static Jet<P, double> log_sf(double y, const double *p) { return log_mass(y, 0, 1 - y, y, p); }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    return log_mass(lo, 1 - hi, hi - lo, lo + (1 - hi), p);
  }

private:
  // log P(below < Y <= 1 - above), width = 1 - gap: log (1 - e^(-a width)) / (1 - e^-a), and a for each unit between
  // the likelier end and the interval. Nothing cancels: not near certainty either, where gap has the digits.
  static Jet<P, double> log_mass(double below, double above, double width, double gap, const double *p) {
    const double a = absolute(p[0]), distance = p[0] > 0 ? above : below;
    Derivatives<double> f;
    if (a < 1) {
      f = log_sinh_ratio_change(a, width, gap);
      const double centre = 0.5 * gap - distance;
      f.value += (width < 0.5 ? log(width) : log1p(-gap)) + a * centre;
      f.slope += centre;
    } else {
      f = a * width < 700 ? log_share(a, width, gap) : Derivatives<double>{0, 0, 0};
      f.value -= a * distance;
      f.slope -= distance;
    }
    return {f.value, {p[0] > 0 ? f.slope : -f.slope}, {{f.curvature}}};
  }

  // log (1 - e^(-a width)) / (1 - e^-a), 1 <= a, a width < 700
  static Derivatives<double> log_share(double a, double width, double gap) {
    const double part = a * width, cut = a * gap, w = over_sinh(0.5 * part), v = over_sinh(0.5 * a);
    if (width < 0.5)
      return {log1mexp(-part) - log1mexp(-a), width / expm1(part) - 1 / expm1(a), (v - w) * (v + w) / a / a};
    const double ratio = expm1(-cut) / expm1(-a), half = 0.5 * cut;
    // sinh(part / 2) (v - w): in the bracket stands cosh(half) - 1 - sinh(half) coth(a / 2)
    const double difference = 0.5 * a * (expm1(-half) - 2 * sinh(half) / expm1(a)) + half;
    const double v_minus_w = difference / sinh(0.5 * part);
    return {log1p(-exp(-part) * ratio), (ratio - gap) / expm1(part), v_minus_w * (v + w) / a / a};
  }

  static double sinh(double x) { return 0.5 * (expm1(x) - expm1(-x)); }
  static double over_sinh(double x) { return x > 40 ? 2 * x * exp(-x) : x / sinh(x); } // x > 0
};

NEGLOG_FAMILY(continuous_bernoulli, ContinuousBernoulli)

} // namespace NEGLOG_ISA
} // namespace neglog
