// BetaMean(mean, precision): Beta(a, b) with a = mean precision, b = (1 - mean) precision. With the unit deviance
//   d = mean log(mean / y) + (1 - mean) log((1 - mean) / (1 - y))
// and g(x) = log Gamma(x) - x log x + x, nll = precision d + g(a) + g(b) - g(precision) + log y + log(1 - y).
#pragma once

#include "families/beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct BetaMean {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = 1;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < 1.0) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *p) { return Beta::inside(y, p); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V mean = p[0], other = 1.0 - mean, n = p[1], shapes[P] = {mean * n, other * n};
    Jet<P, V> out = {};
    out.value = Beta::nll<0>(y, shapes).value;
    if constexpr (Order >= 1) {
      const V apart = (log(mean) - log(y)) - (log1p(-mean) - log1p(-y));
      const auto a = rest<Order>(shapes[0]), b = rest<Order>(shapes[1]);
      const auto fixed = constant<Order>(p);
      out.grad[0] = n * (apart + (a.slope - b.slope));
      out.grad[1] = unit_deviance(y, p) - fixed.digamma;
      if constexpr (Order >= 2) {
        out.hess[0][0] = n * (1.0 / mean + 1.0 / other + n * (a.curvature + b.curvature));
        out.hess[0][1] = apart + (a.slope - b.slope) + n * (mean * a.curvature - other * b.curvature);
        out.hess[1][1] = -fixed.trigamma;
      }
    }
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const auto c = beta_cut(p[0] * p[1], (1 - p[0]) * p[1], y, 1 - y);
    return log_incomplete_beta(c, [&](const BetaTail &tail) { return outward(tail, y, p); });
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const auto c = beta_cut((1 - p[0]) * p[1], p[0] * p[1], 1 - y, y);
    return log_incomplete_beta(c, [&](BetaTail tail) {
      tail.log = mirrored(tail.log);
      return outward(tail, y, p);
    });
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) { // as for Beta
    if (lo < 0.5) return log_between<BetaMean>(lo, hi, p);
    const double swapped[P] = {1 - p[0], p[1]};
    const auto f = log_between<BetaMean>(1 - hi, 1 - lo, swapped);
    return {f.value, {-f.grad[0], f.grad[1]}, {{f.hess[0][0], -f.hess[0][1]}, {0, f.hess[1][1]}}};
  }

private:
  // slope and curvature of g
  template <int Order, class V> static Derivatives<V> rest(V x) {
    const V r = 1.0 / x;
    auto out = stirling_error<Order>(x);
    out.slope -= 0.5 * r;
    if constexpr (Order >= 2) out.curvature += 0.5 * r * r;
    return out;
  }
  // minus d nll / d precision without the deviance, and its slope
  template <int Order, class V> static PolygammaStep<V> constant(const V *p) {
    const V mean = p[0], other = 1.0 - mean, n = p[1];
    const auto a = rest<Order>(mean * n), b = rest<Order>(other * n), c = rest<Order>(n);
    return {c.slope - mean * a.slope - other * b.slope,
            c.curvature - mean * mean * a.curvature - other * other * b.curvature};
  }
  static Jet<P, double> outward(const BetaTail &tail, double y, const double *p) {
    const auto &f = tail.log;
    const double mean = p[0], other = 1 - mean, n = p[1], apart = f.grad[1] - f.grad[2];
    const double aa = f.hess[1][1], ab = f.hess[1][2], bb = f.hess[2][2];
    Jet<P, double> out = {f.value,
                          {n * apart, mean * f.grad[1] + other * f.grad[2]},
                          {{n * n * (aa - 2 * ab + bb), apart + n * (mean * (aa - ab) + other * (ab - bb))},
                           {0, mean * mean * aa + 2 * mean * other * ab + other * other * bb}}};
    if (n < 1) return out;
    // for large precisions both shapes' derivatives nearly cancel: the score is minus the unit deviance instead
    const auto fixed = constant<2>(p);
    out.grad[1] = tail.mean_height / n - unit_deviance(y, p) + fixed.digamma;
    out.hess[1][1] = tail.height_variance / (n * n) + fixed.trigamma;
    return out;
  }
  template <class V> static V unit_deviance(V y, const V *p) {
    const V mean = p[0], other = 1.0 - mean, excess = y - mean;
    return deviance_from(mean, excess, log(mean) - log(y)) + deviance_from(other, -excess, log1p(-mean) - log1p(-y));
  }
};

NEGLOG_FAMILY(beta_mean, BetaMean)

} // namespace NEGLOG_ISA
} // namespace neglog
