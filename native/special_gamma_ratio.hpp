// Tails of a ratio of gamma variables, M = Gamma(shape) / (alpha Gamma(1 / alpha)): alpha M is beta prime, and at alpha
// = 0 M is gamma distributed. The negative binomial's P(Y <= k) is P(M > mean) with shape k + 1, and half the square of
// Student's t is M with shape 1/2 and alpha = 2 / df. Everything is analytic in alpha at 0, and nothing cancels there.
//
// In log m the density is exp(shape log m - (shape + 1 / alpha) log(1 + alpha m) + constant). Its score in alpha, with
// e = (shape - m) / (1 + alpha m), is e^2 r(alpha e) + c, where r(t) = (t - log(1 + t)) / t^2 and c does not depend on
// m.
#pragma once

#include "special_incomplete_beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GammaRatio {
  double shape, alpha, m, log_odds; // log_odds = log(alpha m); m itself may have left the range
};
inline GammaRatio gamma_ratio(double shape, double alpha, double m) {
  const double a = alpha > 1e-200 ? alpha : 1e-200; // the same to the last bit, and 1 / a exists
  return {shape, a, m, log(a) + log(m)};
}

// The variable 1 / (1 + alpha M), or alpha M / (1 + alpha M), which is beta distributed, cut from above
inline BetaCut beta_cut_above(const GammaRatio &g) {
  const double odds = g.alpha * g.m, x = 1 / (1 + odds);
  const double log_x = g.log_odds > 700 ? -g.log_odds : -log1p(odds);
  const double log_y = g.log_odds > 0 ? -log1p(exp(-g.log_odds)) : log_x + g.log_odds;
  if (!(odds < kInf)) return {1 / g.alpha, g.shape, 0, 1, log_x, log_y, 1 / g.alpha};
  return {1 / g.alpha, g.shape, x, odds * x, log_x, log_y, (g.m - g.shape) * x};
}

// log P and its derivatives in (log m, alpha)
struct GammaRatioTail {
  Jet<2, double> log;
  double bend; // m^2 d2 / dm2, which the derivatives in log m would lose where it is small
};

// By the general incomplete beta function, for large alpha
inline GammaRatioTail from_beta(const Jet<3, double> &f, double alpha) {
  const double r = 1 / alpha; // logit of the variable is -log(alpha m), its shape 1 / alpha
  const double u = -r, uu = r * r, a = -r * r, aa = 2 * r * r * r;
  GammaRatioTail out = {};
  out.log.value = f.value;
  out.log.grad[0] = -f.grad[0];
  out.log.grad[1] = f.grad[0] * u + f.grad[1] * a;
  out.log.hess[0][0] = f.hess[0][0];
  out.log.hess[0][1] = -(f.hess[0][0] * u + f.hess[0][1] * a);
  out.log.hess[1][1] =
      f.hess[0][0] * u * u + 2 * f.hess[0][1] * u * a + f.hess[1][1] * a * a + f.grad[0] * uu + f.grad[1] * aa;
  out.bend = f.hess[0][0] + f.grad[0];
  return out;
}

// P(M > m) if Above, otherwise P(M < m), by the integral of the density: for a tail that is not nearly everything.
template <bool Above> inline GammaRatioTail gamma_ratio_tail(const GammaRatio &g) {
  const BetaCut above = beta_cut_above(g), c = Above ? above : above.mirrored();
  if (g.alpha > 1) return from_beta(Above ? log_incomplete_beta(c) : mirrored(log_incomplete_beta(c)), g.alpha);
  const double shape = g.shape, alpha = g.alpha, grown = 1 + alpha * shape, log_grown = log1p(alpha * shape);
  const double q0 = above.x, e0 = -above.slope;
  VecD total = {}, fall = {}, step = {}, s = {}, ss = {}, bend = {};
  beta_walk(c, [&](const BetaNode<VecD> &node, VecD mass) {
    // q = 1 / (1 + alpha m) at the node, its relative distance from q0, and alpha m q
    const VecD v = Above ? -node.fall : node.rise, q = q0 * (v + 1.0), log_v = Above ? -node.log_x : node.log_y;
    const VecD p = Above ? above.y - q0 * v : above.y * (1.0 - node.fall);
    const VecD move = v / alpha, score = move * (e0 + move * log1p_rest(v, v + 1.0, log_v).value);
    const VecD e = shape * q - p / alpha, ee = e * e;
    const auto rest = log1p_rest(alpha * e, grown * q, log_v + (above.log_x + log_grown));
    total += mass, fall += mass * node.fall, s += mass * score, ss += mass * score * score;
    bend += mass * ee * (e * rest.slope / grown - 2.0 * (p / alpha) * rest.value);
    if (Above) step -= mass * expm1(-node.w);
  });
  const double integral = sum_lanes(total), rate = 1 / integral, n = c.a + c.b;
  const auto mean = [=](VecD v) { return sum_lanes(v) / integral; };
  const double ms = mean(s), mf = mean(fall), side = Above ? -1 : 1;
  const auto constant = stirling_step<2>(alpha, shape);
  GammaRatioTail out = {};
  out.log.value = log_density(c) + log(integral);
  out.log.grad[0] = side * rate;
  out.log.grad[1] = e0 * e0 * log1p_rest(alpha * e0, grown * q0, above.log_x + log_grown).value - 0.5 * shape / grown +
                    constant.slope + ms;
  out.log.hess[0][0] = -rate * (n * c.x * mf);
  out.log.hess[0][1] = -side * rate * ms;
  out.log.hess[1][1] = mean(bend) + 0.5 * shape * shape / (grown * grown) + constant.curvature + (mean(ss) - ms * ms);
  // above: by parts in m, where the density is m^(shape - 1) (1 + alpha m)^-(shape + 1 / alpha)
  out.bend = Above ? -rate * ((shape - 1) * mean(step) - grown * (above.y / alpha) * mf) : out.log.hess[0][0] - rate;
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
