// The incomplete beta function and the incomplete gamma ratio behind negative binomial and Student's t, as logarithms
// with exact derivatives in every argument.
//
// The lower tail of X ~ Beta(a, b) in u = logit X, from the cut u0 = logit x down, u = u0 - w:
//   P(X <= x) = f(u0) J,  J = integral over w > 0 of exp(h(w)),  h(w) = -a w - (a + b) log(1 + x (exp(-w) - 1)).
// h is concave with h(0) = 0, and nothing cancels when it is written with the slope a y - b x at the cut, y = 1 - x.
// All derivatives are moments under exp(h) / J of log(X / x), log((1 - X) / y), x - X: score functions, by definition.
// The upper tail is the lower one of (b, a, y, x).
#pragma once

#include "family.hpp"
#include "special_gamma_step.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Where a beta distribution is cut: at x = 1 - y, both given with all their digits.
struct BetaCut {
  double a, b, x, y, log_x, log_y;
  double slope; // a y - b x: positive below the mode of logit X

  BetaCut mirrored() const { return {b, a, y, x, log_y, log_x, -slope}; }
};

inline BetaCut beta_cut(double a, double b, double x, double y) {
  return {a, b, x, y, x > 0.5 ? log1p(-y) : log(x), y > 0.5 ? log1p(-x) : log(y), a * y - b * x};
}

// Density of logit X at the cut, as a logarithm: Loader's form, as in families/beta.hpp.
inline double log_density(const BetaCut &c) {
  const double n = c.a + c.b;
  const double rest = stirling_error<0>(n).value - stirling_error<0>(c.a).value - stirling_error<0>(c.b).value;
  // log(shape / (n x)); x is 0 where it has left the range of numbers
  const auto log_quotient = [n](double shape, double x, double log_x) {
    return x > 0x1p-1000 ? log(shape / (n * x)) : log(shape / n) - log_x;
  };
  return rest + 0.5 * log(c.a * (c.b / n)) - kLogSqrt2Pi -
         (deviance_from(c.a, -c.slope, log_quotient(c.a, c.x, c.log_x)) +
          deviance_from(c.b, c.slope, log_quotient(c.b, c.y, c.log_y)));
}

// The integrand at distance w below the cut.
template <class V> struct BetaNode {
  V w, height;    // h(w)
  V log_x, log_y; // log(x / X) and log((1 - X) / y), both positive
  V fall, rise;   // (x - X) / x and (x - X) / y
};
template <class V> inline BetaNode<V> beta_node(const BetaCut &c, V w) {
  const double x = c.x, y = c.y, n = c.a + c.b;
  if (x <= 0.5) {
    const V t = expm1(-w), q = x * t, rise = -t / (1.0 + q), log_y = -log1p(q);
    // log(1 + q) + x w, the cumulant of a Bernoulli variable: 0 to second order at w = 0
    const V bend = log1pmx(q) + x * expm1mx(-w);
    return {w, -c.slope * w - n * bend, w - log_y, log_y, y * rise, x * rise};
  }
  // with y small it is y exp(w) that counts; beyond 700, where that leaves the range, only exp(-w) is left
  const V near = min_or_second(w, splat<V>(700.0)), e = expm1(near), q = y * e, log_q = log1p(q);
  const V cumulant = w < 1.0 ? log1pmx(q) + y * expm1mx(min_or_second(w, splat<V>(1.0))) : log_q - y * w;
  BetaNode<V> out = {w, -c.slope * w - n * cumulant, log_q, w - log_q, q / (1.0 + q), x * e / (1.0 + q)};
  const auto late = w > 1.0;
  if (any<decltype(w < w)>(late)) {
    const V down = exp(-w), left = x * down + y, log_left = log(left);
    const auto far = w > 700.0;
    out.log_y = late ? -log_left : out.log_y;
    out.log_x = far ? w + log_left : out.log_x;
    out.height = far ? -c.slope * w - n * (x * w + log_left) : out.height;
    out.fall = far ? y * (1.0 - down) / left : out.fall;
    out.rise = far ? x * (1.0 - down) / left : out.rise;
  }
  return out;
}

// The w at which h has fallen to about -drop; anything between half and twice that will do.
inline double beta_reach(const BetaCut &c, double drop) {
  const double n = c.a + c.b, spread = n * c.x * c.y;
  double low = 0, high = kInf, w = 2 * drop / (c.slope + __builtin_sqrt(c.slope * c.slope + 2 * drop * spread));
  if (!(w < 1e4)) w = 1e4; // no scale at the cut
  for (int i = 0; i < 200; ++i) {
    const auto node = beta_node(c, w);
    const double over = node.height + drop, slope = c.slope + n * c.x * node.fall;
    if (absolute(over) < 0.2 * drop) break;
    (over > 0 ? low : high) = w;
    double next = w + over / slope; // Newton; h is concave
    if (over > 0 && !(next < 4 * w)) next = 4 * w;
    if (over < -4 * drop || !(next > low && next < high)) next = high < kInf ? 0.5 * (low + high) : 4 * w;
    w = next;
  }
  return w;
}

// Integrates over the tail: body(node, mass), mass = exp(h) dw. The panels end where h has fallen by 6, 16 and 40 and,
// because h is straight but for there, at growing distances around the cut, around X = 1/2 and before the fall that a
// small b delays until X is about 1 - 1 / (a + b).
template <class Body> inline void beta_walk(const BetaCut &c, const Body &body) {
  double ends[24];
  int count = 0;
  const double end = beta_reach(c, 40);
  const auto add = [&](double w) {
    if (!(w > 0 && w < end)) return;
    int at = count++;
    for (; at > 0 && ends[at - 1] > w; --at) ends[at] = ends[at - 1];
    ends[at] = w;
  };
  add(beta_reach(c, 6)), add(beta_reach(c, 16));
  const double middle = c.log_x - c.log_y, from = middle > 0 ? middle : 0; // w at X = 1/2, or the cut if that is below
  const double last = log(c.a + c.b), fall = last > 0 ? middle - last : middle;
  constexpr double distances[] = {0, 4, 12, 36};
  for (const double distance : distances) {
    add(from + distance), add(fall - distance);
    if (distance == 4) add(from - distance);
  }
  ends[count++] = end;
  double begin = 0;
  for (int i = 0; i < count; ++i) {
    gauss_legendre<VecD>(begin, ends[i], [&](VecD w, VecD weight) {
      const auto node = beta_node(c, w);
      body(node, weight * exp(node.height));
    });
    begin = ends[i];
  }
}

struct BetaTail {
  Jet<3, double> log;                  // log P in (logit x, a, b)
  double slope, curvature;             // of log(P / b) in b; they stay finite as b goes to 0
  double mean_height, height_variance; // of h under the integrand: minus the score in a + b at constant a / (a + b)
};

// log P(X <= x) by its integral: for a tail that is not nearly everything.
inline BetaTail log_beta_integral(const BetaCut &c) {
  VecD total = {}, fall = {}, fx = {}, fy = {}, fxx = {}, fxy = {}, fyy = {}, wx = {}, wwx = {}, wy = {}, wsum = {},
       h = {}, hh = {};
  beta_walk(c, [&](const BetaNode<VecD> &node, VecD mass) {
    const VecD mx = mass * node.log_x, my = mass * node.log_y;
    total += mass, fall += mass * node.fall, h += mass * node.height, hh += mass * node.height * node.height;
    fx += mx, fy += my, fxx += mx * node.log_x, fxy += mx * node.log_y, fyy += my * node.log_y;
    if (c.a >= 1) return;
    const VecD mw = mass * node.w, mwx = mw * exp(-node.log_x);
    wsum += mw, wy += mw * node.log_y, wx += mwx, wwx += mwx * node.w;
  });
  const double integral = sum_lanes(total), a = c.a, b = c.b, n = a + b, rate = 1 / integral;
  const auto mean = [=](VecD v) { return sum_lanes(v) / integral; };
  const double ex = mean(fx), ey = mean(fy), var_y = mean(fyy) - ey * ey;
  const auto from_a = polygamma_step<2>(a, b), from_b = polygamma_step<2>(b, a);
  Jet<3, double> out = {};
  out.value = log_density(c) + log(integral);
  out.grad[0] = rate;
  out.grad[1] = c.log_x - ex + from_a.digamma;
  out.grad[2] = c.log_y + ey + from_b.digamma;
  out.hess[0][0] = -rate * (n * c.x * mean(fall));
  out.hess[0][1] = rate * ex;
  out.hess[0][2] = -rate * ey;
  out.hess[1][1] = mean(fxx) - ex * ex + from_a.trigamma;
  out.hess[1][2] = log_gamma<2>(n).curvature - (mean(fxy) - ex * ey);
  out.hess[2][2] = var_y + from_b.trigamma;
  if (a < 1) {
    // Far down w is exponential with rate a: its mean 1 / a and variance 1 / a^2 are the leading terms of digamma(a)
    // and trigamma(a). What remains follows from w h' exp(h) and w^2 h' exp(h), integrated by parts.
    const auto next = polygamma_step<2>(a + 1, b); // to n + 1
    const double g = n * c.x * mean(wx) / a, gg = n * c.x * mean(wwx) / a, covariance = mean(wy) - mean(wsum) * ey;
    out.grad[1] = c.log_x + ey - g + next.digamma - 1 / n;
    out.hess[1][1] = gg - g * g - 2 * covariance + var_y + next.trigamma + 1 / (n * n);
  }
  double slope = out.grad[2] - 1 / b, curvature = out.hess[2][2] + 1 / (b * b);
  if (b < 1) {
    const auto next = polygamma_step<2>(b + 1, a); // to n + 1
    slope = c.log_y + ey + next.digamma - 1 / n, curvature = var_y + next.trigamma + 1 / (n * n);
  }
  return {out, slope, curvature, mean(h), mean(hh) - mean(h) * mean(h)};
}

// The same tail of the mirrored variable, in the arguments of this one.
inline Jet<3, double> mirrored(const Jet<3, double> &f) {
  return {f.value,
          {-f.grad[0], f.grad[2], f.grad[1]},
          {{f.hess[0][0], -f.hess[0][2], -f.hess[0][1]}, {0, f.hess[2][2], f.hess[1][2]}, {0, 0, f.hess[1][1]}}};
}

// log P(X <= x) with gradient and Hessian in (logit x, a, b), for X ~ Beta(a, b), 0 < x < 1.  P(X > x) is that of
// c.mirrored(), mirrored().  Shapes 1e-3 to 1e6, any x.  Relative error per condition number below 1e-14, of second
// derivatives 1e-12.
//
// The smaller tail is integrated and gives the other. A tail that a small shape spreads over hundreds of logits is
// integrated even where it is the larger one: its curvature in that shape is what is left of 1 / a^2.
//
// `as` chooses the arguments: it makes of a BetaTail the jet that is returned; `complement` makes of one log(1 - P).
template <class As, class Complement>
inline auto log_incomplete_beta(const BetaCut &c, const As &as, const Complement &complement) {
  const auto enough = [](double shape) { return shape < 0.1 ? -0.05 : -0.69314718055994530942; };
  const bool below = c.slope >= 0; // the mode: then this is usually the smaller tail
  if (below) {
    const auto lower = log_beta_integral(c);
    if (lower.log.value <= enough(c.a)) return as(lower);
  }
  auto upper = log_beta_integral(c.mirrored());
  upper.log = mirrored(upper.log);
  if (below || upper.log.value <= enough(c.b)) return complement(upper);
  return as(log_beta_integral(c));
}
template <class As> inline auto log_incomplete_beta(const BetaCut &c, const As &as) {
  return log_incomplete_beta(c, as, [&](const BetaTail &tail) { return log_complement(as(tail)); });
}
inline Jet<3, double> log_incomplete_beta(const BetaCut &c) {
  // the upper tail has the factor a, as the lower one has b
  const auto complement = [&](const BetaTail &tail) {
    auto apart = tail.log;
    apart.grad[1] = tail.slope, apart.hess[1][1] = tail.curvature;
    return log_complement_with_factor(apart, 1, c.a);
  };
  return log_incomplete_beta(c, [](const BetaTail &tail) { return tail.log; }, complement);
}

// log(1 - x^n) with gradient and Hessian in (n, x), where log x is given: the tail whose complement is one power.
inline Jet<2, double> log_one_minus_power(double n, double x, double log_x) {
  const auto f = log_one_minus_exp(log(-n * log_x)); // its argument has slopes 1 / n and 1 / (x log x)
  const double r = 1 / n, s = 1 / (x * log_x);
  return {log1mexp(n * log_x),
          {f.slope * r, f.slope * s},
          {{(f.curvature - f.slope) * r * r, f.curvature * r * s}, {0, (f.curvature - (log_x + 1) * f.slope) * s * s}}};
}

} // namespace NEGLOG_ISA
} // namespace neglog
