// Binomial(n, p): nll = -log C(n, y) - y log p - (n - y) log(1 - p), in the deviance form of Loader, "Fast and accurate
// computation of binomial probabilities" (2000). n goes on between whole numbers by the gamma function.
#pragma once

#include "special_incomplete_beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Binomial {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] >= 0.0) & (p[0] < kInf) & (p[1] >= 0.0) & (p[1] <= 1.0);
  }
  template <class V> static auto inside(V y, const V *p) { return (y >= 0.0) & (y <= p[0]) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *parameters) {
    const V n = parameters[0], p = parameters[1], q = 1.0 - p, failures = n - y, one = splat<V>(1.0);
    const auto none = y == 0.0, all = failures == 0.0, some = (y != 0.0) & (failures != 0.0);
    const V k = some ? y : one, m = some ? failures : one, total = k + m, excess = m * p - k * q; // of total p over k
    const V log_total = log(total), log_k = log(k), log_m = log(m), log_p = log(p), log_q = log1p(-p);
    Jet<P, V> out = {};
    out.value = deviance_from(k, excess, log_k - log_total - log_p) +
                deviance_from(m, -excess, log_m - log_total - log_q) + 0.5 * (log_k + log_m - log_total) + kLogSqrt2Pi +
                (stirling_error_whole(k) + stirling_error<0>(m).value - stirling_error<0>(total).value);
    if (any<decltype(y < y)>(none | all)) {
      const V zero = V{}, failed = n == 0.0 ? zero : -n * log_q, passed = all & (n > 0.0) ? -n * log_p : zero;
      out.value = some ? out.value : none ? failed : passed;
    }
    if constexpr (Order >= 1) {
      const auto step = polygamma_step<Order>(failures + 1.0, y);
      const V yes = none ? V{} : y / p, no = all ? V{} : failures / q;
      out.grad[0] = -log_q - step.digamma;
      out.grad[1] = no - yes;
      if constexpr (Order >= 2) {
        out.hess[0][0] = -step.trigamma;
        out.hess[0][1] = 1.0 / q;
        out.hess[1][1] = (none ? V{} : yes / p) + (all ? V{} : no / q);
      }
    }
    return out;
  }

  // P(Y <= k) = I_{1 - p}(n - k, k + 1)
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y);
    if (k >= p[0]) return certain<P>();
    if (p[1] == 0 || p[1] == 1) return at_end(k, p, p[1] == 0);
    if (k == 0) { // n log(1 - p), without the detour over the logit
      const double q = 1 - p[1], log_q = log1p(-p[1]);
      return {p[0] * log_q, {log_q, -p[0] / q}, {{0, -1 / q}, {0, -p[0] / q / q}}};
    }
    return outward(log_incomplete_beta(beta_cut(p[0] - k, k + 1, 1 - p[1], p[1])), p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y);
    if (k >= p[0]) return impossible<P>();
    if (p[1] == 0 || p[1] == 1) return at_end(p[0] - k - 1, p, p[1] == 1);
    if (k == 0) {
      const auto f = log_one_minus_power(p[0], 1 - p[1], log1p(-p[1]));
      return {f.value, {f.grad[0], -f.grad[1]}, {{f.hess[0][0], -f.hess[0][1]}, {0, f.hess[1][1]}}};
    }
    return outward(mirrored(log_incomplete_beta(beta_cut(k + 1, p[0] - k, p[1], 1 - p[1]))), p[1]);
  }

private:
  // log P(at most k of n) where that is certain, or impossible: P = 1 - C(n, k + 1) p^(k + 1) + ...
  static Jet<P, double> at_end(double k, const double *p, bool sure) {
    if (!sure) return impossible<P>();
    auto out = certain<P>();
    const double n = p[0], sign = p[1] == 0 ? 1 : -1;
    if (k == 0) out.grad[1] = -sign * n, out.hess[0][1] = -sign, out.hess[1][1] = -n;
    if (k == 1) out.hess[1][1] = -n * (n - 1);
    return out;
  }
  // from (logit(1 - p), n - k, k + 1)
  static Jet<P, double> outward(const Jet<3, double> &f, double p) {
    const double slope = 1 / (p * (1 - p));
    return {f.value,
            {f.grad[1], -f.grad[0] * slope},
            {{f.hess[1][1], -f.hess[0][1] * slope}, {0, (f.hess[0][0] + (1 - 2 * p) * f.grad[0]) * slope * slope}}};
  }
};

NEGLOG_FAMILY(binomial, Binomial)

} // namespace NEGLOG_ISA
} // namespace neglog
