// Tails of the gamma distribution: log P(a, x) and log Q(a, x), the logarithms of the regularised incomplete gamma
// functions, with exact first and second derivatives in both arguments. Double.
//
// Domain: a > 0, x >= 0; log x is an argument of its own, so that x may underflow. Relative error per condition number
// against mpmath, a from 1e-8 to 1e7 and probabilities down to 10^-40000: value and gradient 1e-14, Hessian 1e-12.
// Edges: x = 0 and log x = -inf: P impossible, Q certain. x = inf: P certain, Q impossible.
// Derivatives in x are relative, as in gamma_density.hpp.
//
// Method. Whichever tail is on the far side of a is the small one:
//   P(a, x) = d * integral of exp(h(w)), h = -a w + x (1 - e^-w)     (t = x e^-w in the definition), x < a
//   Q(a, x) = d * integral of exp(h(w)), h =  a w - x (e^w - 1)      (t = x e^w),                    x >= a
// over w > 0, d = x^a e^-x / Gamma(a). h is concave, starts at 0 and falls; nothing cancels. With E the mean under the
// integrand and r = 1 / integral, differentiating and integrating by parts gives, upper sign for Q,
//   x f_x = -+ r,   x f_ax = r E[w],   f_a = log x - psi(a) +- E[w],   f_aa = Var[w] - psi'(a),
//   x^2 f_xx = -r (a - 1) E[1 - e^-w] for Q,   -r (1 + x E[1 - e^-w]) for P.
// For large a the derivatives in a at a given q = x / a are the small ones, and from them the others follow without
// cancellation: with h = a k(w, q), log(integral) has the slope E[h] / a and the curvature Var[h] / a^2.
// For x < a < 20 the integral of P is the series 1/a (1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ...), Abramowitz and
// Stegun 6.5.29, whose terms are positive. The large tail is one minus the small one; but for x < a < 1e-3 log Q has
// the factor a apart, see upper_of_small.
#pragma once

#include "gamma_density.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// log Gamma(1 + a), digamma and trigamma there.  Domain: 0 <= a <= 1.  Relative error 1e-15 also of the value for small
// a, which is its use.  log Gamma(3 + a) - log Gamma(3) is a power series with radius 3 and coefficients
// (-1)^k zeta(k, 3) / k (Abramowitz and Stegun 6.4.9), and two logarithms lead down from there.
inline Derivatives<double> log_gamma_one_plus(double a) {
  constexpr int terms = 34;
  static constexpr double c[terms] = {0,
                                      0.92278433509846713939, // psi(3)
                                      0.19746703342411321824,
                                      -0.025685634386531428467,
                                      0.004955808427784547879,
                                      -0.0011355510286739852663,
                                      0.00028634366407485661909,
                                      -0.000076682483131832405685,
                                      0.000021388274743042422336,
                                      -6.1408695646904908725e-6,
                                      1.8012627818085337146e-6,
                                      -5.3703219267859624566e-7,
                                      1.6216069233735821983e-7,
                                      -4.9464236806857442449e-8,
                                      1.5212772050344947039e-8,
                                      -4.7105454680329034486e-9,
                                      1.4668966344919832857e-9,
                                      -4.5900627351542785884e-10,
                                      1.4422218749110313676e-10,
                                      -4.5478091654680297735e-11,
                                      1.4385873327305657602e-11,
                                      -4.5632659372125293676e-12,
                                      1.4510739168404547113e-12,
                                      -4.6245280564448120821e-13,
                                      1.4767816120227551834e-13,
                                      -4.7245078278707442548e-14,
                                      1.5139789130191717635e-14,
                                      -4.858996725976554852e-15,
                                      1.5616545193925828287e-15,
                                      -5.0256145144741910034e-16,
                                      1.6192680632224155882e-16,
                                      -5.2232117391918916881e-17,
                                      1.6866055653759184237e-17,
                                      -5.4515172843426112843e-18};
  Derivatives<double> out = {};
  for (int k = terms - 1; k >= 0; --k) {
    out.curvature = out.curvature * a + 2 * out.slope; // Horner's rule for all three
    out.slope = out.slope * a + out.value;
    out.value = out.value * a + c[k];
  }
  const double r1 = 1 / (1 + a), r2 = 1 / (2 + a);
  out.value -= log1p(a) + log1p(0.5 * a);
  out.slope -= r1 + r2;
  out.curvature += r1 * r1 + r2 * r2;
  return out;
}

// exp(t) - 1 - t, given exp(t) - 1.  Domain: all.  Relative error 5e-16, from the Taylor series where |t| < 1.
template <class V> inline V expm1_minus(V t, V expm1_t) {
  V r = splat<V>(1.5619206968586225e-16); // 1 / 18!
  double factorial = 6402373705728000;
  for (int k = 18; k > 2; --k) r = madd(r, t, splat<V>(1 / (factorial /= k)));
  return absolute(t) < 1.0 ? t * t * r : expm1_t - t;
}

namespace incomplete_gamma {

using Tail = Jet<2, double>;

constexpr double kLarge = 20; // shapes from here on are treated in a and q
constexpr double kCut = 40;   // exp(-40) is below 2^-57

// The integral of exp(h) with h = -slope w - x (e^t - 1 - t), t = side w, over 0 < w < end; under it the mean and
// variance of w, or of h, and the mean of 1 - e^-w.
struct Moments {
  double total, mean, variance, bend;
};
enum class Of { w, h };
template <Of of> inline Moments integrate(double slope, double x, double end, double side) {
  VecD total = {}, first = {}, second = {}, bend = {};
  // Four panels, or where the end is far, as it is for the upper tail at small x, panels that double away from it: the
  // integrand falls within the last units of w and is nearly constant before.
  double right = end, width = end < 4 ? 0.25 * end : 1;
  for (int i = 0; right > 0; ++i) {
    if (i > 4) width *= 2;
    const double left = right > 1.5 * width ? right - width : 0;
    gauss_legendre<VecD>(left, right, [&](VecD w, VecD weight) {
      const VecD t = side * w, e = expm1(t), h = -slope * w - x * expm1_minus(t, e);
      const VecD density = weight * exp(h), u = of == Of::w ? w : h, moment = density * u;
      total += density;
      first += moment;
      second += moment * u;
      bend += density * (side > 0 ? e / (e + 1.0) : -e);
    });
    right = left;
  }
  const double sum = sum_lanes(total), mean = sum_lanes(first) / sum;
  return {sum, mean, sum_lanes(second) / sum - mean * mean, sum_lanes(bend) / sum};
}

// where slope w + x w^2 / 2 reaches the cut
inline double parabola_end(double slope, double x) {
  const double root = __builtin_sqrt(x), d = slope / root;
  return 2 * kCut / root / (d + __builtin_sqrt(d * d + 2 * kCut));
}
inline double upper_end(double a, double x) {
  if (x < 1) return log((kCut + 5) / x); // a w < 5 up to there
  double end = parabola_end(x - a, x);   // too far: from there down to x (e^w - 1) = kCut + a w
  for (int i = 0; i < 3; ++i) {
    const double next = log1p((kCut + a * end) / x);
    end = next < end ? next : end;
  }
  return end;
}
inline double lower_end(double a, double x) {
  double end = parabola_end(a - x, a);
  for (int i = 0; i < 3; ++i) { // Newton: the first step overshoots and the others come back
    const double e = expm1(-end);
    end -= ((a - x) * end + x * expm1_minus(-end, e) - kCut) / (a - x - x * e);
  }
  return end;
}

// log P(a, x) for x < a and log Q(a, x) for x >= a, with derivatives in a and q; large a
inline Tail small_tail_by_mean(double a, double x, double q_minus_one, double log_q) {
  const double slope = absolute(a * q_minus_one), ra = 1 / a;
  const bool up = q_minus_one >= 0;
  const auto m = integrate<Of::h>(slope, x, up ? upper_end(a, x) : lower_end(a, x), up ? 1.0 : -1.0);
  const auto b = gamma_nll_by_mean<2>(a, q_minus_one, log_q);
  const double r = 1 / m.total, slope_q = up ? -r : r;
  return {log(m.total) - b.value,
          {m.mean * ra - b.grad[0], slope_q},
          {{m.variance * ra * ra - b.hess[0][0], -slope_q * m.mean * ra},
           {0, -r * (up ? (a - 1) * m.bend : 1 + x * m.bend)}}};
}

// log x^a e^-x / Gamma(1 + a) and its derivatives in a
inline Derivatives<double> log_weight(double a, double x, double log_x) {
  if (a < 1) {
    const auto g = log_gamma_one_plus(a);
    return {a * log_x - x - g.value, log_x - g.slope, -g.curvature};
  }
  const auto g = gamma_nll<2>(a, x, log_x);
  const double r = 1 / a;
  return {-g.value - log(a), -g.grad[0] - r, -g.hess[0][0] + r * r};
}

// log (Q(a, x) / a), x >= a; divided, it is smooth as a goes to 0
inline Tail upper(double a, double x, double log_x) {
  const auto b = log_weight(a, x, log_x);
  const auto m = integrate<Of::w>(x - a, x, upper_end(a, x), 1.0);
  const double r = 1 / m.total;
  return {b.value + log(m.total),
          {b.slope + m.mean, -r},
          {{b.curvature + m.variance, r * m.mean}, {0, -r * (a - 1) * m.bend}}};
}

// log P(a, x), x < a. A term is differentiated by H = 1 / (a + 1) + ... + 1 / (a + n).
inline Tail lower(double a, double x, double log_x, bool in_log = false) {
  double term = 1, rest = 0, n_mean = 0, h = 0, h_mean = 0, hh_mean = 0, square = 0, square_mean = 0;
  for (int n = 1; term > 0x1p-60 * (1 + rest); ++n) {
    const double r = 1 / (a + n);
    term *= x * r;
    h += r, square += r * r;
    rest += term;
    n_mean += term * n, h_mean += term * h, hh_mean += term * h * h, square_mean += term * square;
  }
  const double total = 1 + rest;
  n_mean /= total, h_mean /= total, hh_mean /= total, square_mean /= total;
  const auto b = log_weight(a, x, log_x);
  const double r = a / total;
  return {b.value + log1p(rest), // relative accuracy also for small a, where P is near 1
          {b.slope - h_mean, r},
          {{b.curvature + (hh_mean - h_mean * h_mean) + square_mean, (1 + a * h_mean) / total},
           {0, -r * ((in_log ? 0 : 1) + n_mean)}}};
}

// log Q(a, x) for x < a < 1e-3, where P is nearly 1, with derivatives in a and log x: Q = 1 - exp(-v), v = a u, and by
// Kummer's transformation of the series u = log Gamma(1 + a) / a - log x - log(1 + a s) / a with
// s = sum of (-x)^n / (n! (n + a)).
inline Tail upper_of_small(double a, double x, double log_x) {
  Tail s = {};
  double c = 1;
  for (int n = 1; n < 7; ++n) {
    const double r = 1 / (n + a), term = (c *= -x / n) * r;
    s = s + Tail{term, {-term * r, n * term}, {{2 * term * r * r, -n * term * r}, {0, n * n * term}}};
  }
  const double zeta[] = {
      -0.57721566490153286061, 0.82246703342411321824,  -0.40068563438653142847, // -gamma, zeta(2) / 2
      0.27058080842778454788,  -0.20738555102867398527, 0.16955717699740818995,  -0.14404989676884611812};
  Derivatives<double> g = {}; // log Gamma(1 + a) / a: Abramowitz and Stegun 6.1.33
  for (int k = 6; k >= 0; --k) {
    g.curvature = g.curvature * a + 2 * g.slope;
    g.slope = g.slope * a + g.value;
    g.value = g.value * a + zeta[k];
  }
  const Tail shape = variable<2>(0, a), z = shape * s;
  const double t = z.value; // log(1 + t) / t, |t| < 1e-6
  const Tail bent = s * chain(Derivatives<double>{1 - t / 2 + t * t / 3, -0.5 + t * 2 / 3 - t * t * 3 / 4,
                                                  2.0 / 3 - t * 3 / 2 + t * t * 12 / 5},
                              z);
  const Tail u = Tail{g.value - log_x, {g.slope, -1}, {{g.curvature, 0}, {0, 0}}} - bent, log_v = log(shape) + log(u);
  return chain(log_one_minus_exp(log_v.value), log_v);
}

// x^2 f_xx of either tail from its x f_x, because x times the density has the logarithmic slope a - x
inline Tail with_curvature(Tail tail, double a, double x) {
  tail.hess[1][1] = tail.grad[1] * (a - 1 - x - tail.grad[1]);
  return tail;
}

// log P(a, x) or log Q(a, x) for large a, in a and q
inline Tail large(double a, double x, double q_minus_one, double log_q, bool upper_tail) {
  const Tail small = small_tail_by_mean(a, x, q_minus_one, log_q);
  return (q_minus_one >= 0) == upper_tail ? small : with_curvature(log_complement(small), a, x);
}

} // namespace incomplete_gamma

// log P(a, x): the probability that a gamma variable of shape a and scale 1 is at most x.
inline Jet<2, double> log_gamma_p(double a, double x, double log_x) {
  using namespace incomplete_gamma;
  if (x == kInf) return certain<2>();
  if (log_x == -kInf) return impossible<2>();
  if (a >= kLarge) return at_given_x(large(a, x, (x - a) / a, log_x - log(a), false), a);
  if (x < a) return lower(a, x, log_x);
  // one minus a times exp(upper): with the factor apart, the derivatives of a small shape do not cancel
  return with_curvature(log1p(-(variable<2>(0, a) * exp(upper(a, x, log_x)))), a, x);
}

// log Q(a, x): that it exceeds x.
inline Jet<2, double> log_gamma_q(double a, double x, double log_x) {
  using namespace incomplete_gamma;
  if (x == kInf) return impossible<2>();
  if (log_x == -kInf) return certain<2>();
  if (a >= kLarge) return at_given_x(large(a, x, (x - a) / a, log_x - log(a), true), a);
  if (x < a) return with_curvature(a < 1e-3 ? upper_of_small(a, x, log_x) : log_complement(lower(a, x, log_x)), a, x);
  return upper(a, x, log_x) + log(variable<2>(0, a));
}

// The same for a < 20 with derivatives in a and log x: for families in which log x is linear in a parameter. There the
// curvature of log P goes to 0 with x, and x f_x + x^2 f_xx would be rounding.
inline Jet<2, double> log_gamma_p_in_log(double a, double x, double log_x) {
  if (x < a) return incomplete_gamma::lower(a, x, log_x, true);
  auto f = log_gamma_p(a, x, log_x);
  f.hess[1][1] = f.grad[1] == 0 ? 0 : f.grad[1] * (a - x - f.grad[1]);
  return f;
}
inline Jet<2, double> log_gamma_q_in_log(double a, double x, double log_x) {
  auto f = log_gamma_q(a, x, log_x);
  f.hess[1][1] = x < a ? f.grad[1] * (a - x - f.grad[1]) : f.hess[1][1] + f.grad[1];
  return f;
}

// log P(a, a q) and log Q(a, a q) with derivatives in a and q: for families with a mean, whose derivatives in a are by
// orders smaller for large a.
inline Jet<2, double> log_gamma_p_by_mean(double a, double q, double log_q) {
  using namespace incomplete_gamma;
  if (q == kInf) return certain<2>();
  if (log_q == -kInf) return impossible<2>();
  return a >= kLarge ? large(a, a * q, q - 1, log_q, false) : at_given_q(log_gamma_p(a, a * q, log(a) + log_q), a);
}
inline Jet<2, double> log_gamma_q_by_mean(double a, double q, double log_q) {
  using namespace incomplete_gamma;
  if (q == kInf) return impossible<2>();
  if (log_q == -kInf) return certain<2>();
  return a >= kLarge ? large(a, a * q, q - 1, log_q, true) : at_given_q(log_gamma_q(a, a * q, log(a) + log_q), a);
}

} // namespace NEGLOG_ISA
} // namespace neglog
