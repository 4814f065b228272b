// NB1(mean, alpha): the negative binomial with variance mean (1 + alpha). It is NB2 with alpha / mean for alpha, which
// is analytic in alpha at 0. Where that quotient exceeds 1, or the count is at most 1, its poles 1 / mean would cancel;
// there
//   nll = log k! - log mean - sum of log(mean + j alpha) over 0 < j < k + k log(1 + alpha) + mean log(1 + alpha) /
//   alpha
// with the shape r = mean / alpha < 1, in which the sum's derivatives are steps of digamma and trigamma from r + 1.
#pragma once

#include "families/nb2.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct NB1 {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return NB2::valid(p); }
  template <class V> static auto inside(V y, const V *p) { return NB2::inside(y, p); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const auto wide = (p[1] > p[0]) | (y <= 1.0);
    const V inner[P] = {p[0], p[1] / p[0]};
    auto out = outward<Order>(NB2::nll<Order>(y, inner), p);
    if constexpr (Order >= 1) {
      if (!any<decltype(y < y)>(wide)) return out;
      const V shown[P] = {wide ? p[0] : splat<V>(0.5), wide ? p[1] : splat<V>(1.0)};
      const auto direct = derivatives<Order>(y, shown);
      for (int i = 0; i < P; ++i) {
        out.grad[i] = wide ? direct.grad[i] : out.grad[i];
        for (int j = i; j < P; ++j) out.hess[i][j] = wide ? direct.hess[i][j] : out.hess[i][j];
      }
    }
    return out;
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y), inner[P] = {p[0], p[1] / p[0]};
    if (k == 0) return nothing(p);
    auto out = p[1] > p[0] ? from_shape(log_incomplete_beta(cut(k, p)), p) : outward<2>(NB2::log_cdf(k, inner), p);
    if (k == 1 && p[0] < 1) out.hess[1][1] = NB2::bend_to_one(p[0], p[1]);
    return out;
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y), inner[P] = {p[0], p[1] / p[0]};
    if (k == 0) return something(p);
    return p[1] > p[0] ? upper(k, p) : outward<2>(NB2::log_sf(k, inner), p);
  }

private:
  // gradient and Hessian of nll for alpha > mean, or counts 0 and 1, which have no sum
  template <int Order, class V> static Jet<P, V> derivatives(V y, const V *p) {
    const auto none = y == 0.0;
    const V mean = p[0], alpha = p[1], u = 1.0 / (y > 1.0 ? alpha : splat<V>(1.0)), w = 1.0 / (1.0 + alpha),
            r = mean * u;
    const V more = none ? V{} : y - 1.0;
    const auto g = log1p_ratio(alpha);
    const auto step = polygamma_step<Order>(r + 1.0, more); // sums of 1 / (r + j) and -1 / (r + j)^2
    Jet<P, V> out = {};
    out.grad[0] = g.value - step.digamma * u - (none ? V{} : 1.0 / mean);
    out.grad[1] = r * step.digamma * u + (none ? V{} : w * (1.0 - more * u)) + mean * g.slope;
    if constexpr (Order >= 2) {
      const V both = r * step.digamma, square = r * r * step.trigamma;
      out.hess[0][0] = (none ? V{} : 1.0 / mean / mean) - step.trigamma * u * u;
      out.hess[0][1] = (step.digamma + r * step.trigamma) * u * u + g.slope;
      out.hess[1][1] = (none ? V{} : (more * (2.0 * alpha + 1.0) * u * u - 1.0) * w * w) -
                       (2.0 * both + square) * u * u + mean * g.curvature;
    }
    return out;
  }

  // P(Y <= k) = I_x(r, k + 1), x = 1 / (1 + alpha), for alpha > mean
  static BetaCut cut(double k, const double *p) {
    const double alpha = p[1], x = 1 / (1 + alpha), log_x = -log1p(alpha), r = p[0] / alpha;
    return {r, k + 1, x, alpha * x, log_x, alpha < 1 ? log(alpha) + log_x : -log1p(1 / alpha), (p[0] - (k + 1)) * x};
  }
  static Jet<P, double> from_shape(const Jet<3, double> &f, const double *p) {
    const auto r = variable<P>(0, p[0]) / variable<P>(1, p[1]);
    const double u = 1 / p[1];
    const Jet<P, double> logit = {0, {0, -u}, {{0, 0}, {0, u * u}}}; // -log alpha
    const Jet<P, double> arguments[3] = {logit, r, {}};
    return chain(f, arguments);
  }
  static Jet<P, double> nothing(const double *p) { // log P(Y = 0)
    const auto g = log1p_ratio(p[1]);
    return {-p[0] * g.value, {-g.value, -p[0] * g.slope}, {{0, -g.slope}, {0, -p[0] * g.curvature}}};
  }

  // log P(Y > 0) = log (1 - exp(-v)) with v = mean g(alpha): log mean is apart
  static Jet<P, double> something(const double *p) {
    const auto g = log1p_ratio(p[1]);
    const auto f = log_one_minus_exp(log(p[0]) + log(g.value)); // derivatives in log v
    const double a = g.slope / g.value, b = g.curvature / g.value - a * a, r = 1 / p[0];
    return {f.value,
            {f.slope * r, f.slope * a},
            {{(f.curvature - f.slope) * r * r, f.curvature * r * a}, {0, f.curvature * a * a + f.slope * b}}};
  }
  // log P(Y > k), k > 0: its factor r = mean / alpha is apart, as mean and alpha have no mixed derivative in log r
  static Jet<P, double> upper(double k, const double *p) {
    const auto itself = [p](const BetaTail &tail) { // in (logit, k + 1, r)
      auto rest = tail.log;
      rest.grad[2] = tail.slope, rest.hess[2][2] = tail.curvature;
      auto out = with_factor(from_shape(mirrored(rest), p), 0, p[0]);
      out.grad[1] -= 1 / p[1], out.hess[1][1] += 1 / p[1] / p[1];
      return out;
    };
    const auto complement = [p](const BetaTail &tail) { return log_complement(from_shape(mirrored(tail.log), p)); };
    return log_incomplete_beta(cut(k, p).mirrored(), itself, complement);
  }

  // chain rule for a = alpha / mean
  template <int Order, class V> static Jet<P, V> outward(const Jet<P, V> &f, const V *p) {
    const V r = 1.0 / p[0], slope = -p[1] * r * r; // da / dalpha, da / dmean
    Jet<P, V> out = {};
    out.value = f.value;
    if constexpr (Order >= 1) {
      out.grad[0] = f.grad[0] + f.grad[1] * slope;
      out.grad[1] = f.grad[1] * r;
    }
    if constexpr (Order >= 2) {
      const V mixed = f.hess[0][1] + f.hess[1][1] * slope;
      out.hess[0][0] = f.hess[0][0] + (f.hess[0][1] + mixed) * slope - 2.0 * r * slope * f.grad[1];
      out.hess[0][1] = (mixed - f.grad[1] * r) * r;
      out.hess[1][1] = f.hess[1][1] * r * r;
    }
    return out;
  }
};

NEGLOG_FAMILY(nb1, NB1)

} // namespace NEGLOG_ISA
} // namespace neglog
