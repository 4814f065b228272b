// NegativeBinomial(r, p): nll = log k! + log Gamma(r) - log Gamma(k + r) - r log p - k log(1 - p), in the deviance form
// of Loader, "Fast and accurate computation of binomial probabilities" (2000), as r / (r + k) times a binomial mass.
#pragma once

#include "special_incomplete_beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct NegativeBinomial {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < 1.0);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *parameters) {
    const V r = parameters[0], p = parameters[1], q = 1.0 - p, k = y;
    const auto none = k == 0.0;
    const V count = none ? splat<V>(1.0) : k, n = r + count, log_p = log(p), excess = r * q - count * p;
    const V log_n = log(n), log_k = log(count), log_r = log(r);
    Jet<P, V> out = {};
    const V some = deviance_from(r, -excess, log_r - log_n - log_p) +
                   deviance_from(count, excess, log_k - log_n - log1p(-p)) + 0.5 * (log_k + log_n - log_r) +
                   kLogSqrt2Pi +
                   (stirling_error_whole(count) + stirling_error<0>(r).value - stirling_error<0>(n).value);
    out.value = none ? -r * log_p : some;
    if constexpr (Order >= 1) {
      const auto step = polygamma_step<Order>(r, k);
      const V left = none ? V{} : k / q;
      out.grad[0] = -log_p - step.digamma;
      out.grad[1] = left - r / p;
      if constexpr (Order >= 2) {
        out.hess[0][0] = -step.trigamma;
        out.hess[0][1] = -1.0 / p;
        out.hess[1][1] = (none ? V{} : left / q) + r / p / p;
      }
    }
    return out;
  }

  // P(Y <= k) = I_p(r, k + 1)
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y);
    if (k == 0) return nothing(p);
    return outward(log_incomplete_beta(beta_cut(p[0], k + 1, p[1], 1 - p[1])), p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y);
    if (k == 0) return log_one_minus_power(p[0], p[1], log(p[1]));
    return outward(mirrored(log_incomplete_beta(beta_cut(k + 1, p[0], 1 - p[1], p[1]))), p[1]);
  }

private:
  static Jet<P, double> nothing(const double *p) {
    return {p[0] * log(p[1]), {log(p[1]), p[0] / p[1]}, {{0, 1 / p[1]}, {0, -p[0] / p[1] / p[1]}}};
  }
  static Jet<P, double> outward(const Jet<3, double> &f, double p) {
    const double slope = 1 / (p * (1 - p)); // of logit p
    return {f.value,
            {f.grad[1], f.grad[0] * slope},
            {{f.hess[1][1], f.hess[0][1] * slope}, {0, (f.hess[0][0] + (2 * p - 1) * f.grad[0]) * slope * slope}}};
  }
};

NEGLOG_FAMILY(negative_binomial, NegativeBinomial)

} // namespace NEGLOG_ISA
} // namespace neglog
