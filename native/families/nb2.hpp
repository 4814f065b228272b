// NB2(mean, alpha): the negative binomial with variance mean + alpha mean^2, nll = log k! + log Gamma(1 / alpha) - log
// Gamma(k + 1 / alpha) - k log(alpha mean) + (k + 1 / alpha) log(1 + alpha mean); Poisson at alpha = 0.
//
// In the deviance form of Loader, "Fast and accurate computation of binomial probabilities" (2000): with e = (k - mean)
// / (1 + alpha mean) and t = alpha e, half the deviance is deviance(k, k - e) + e^2 alpha r(t), r(t) = (t - log(1 + t))
// / t^2. It is analytic in alpha at 0, and nothing cancels for small alpha or large counts.
#pragma once

#include "special_gamma_ratio.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct NB2 {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] >= 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf) & whole(y); }

  // Second derivative in s of log P(Y <= 1) = log(1 + mean / (1 + s)) - mean log(1 + s) / s, s = alpha mean. A tail's
  // complement loses it for small means, where P(Y > 1) is linear in s.
  static double bend_to_one(double mean, double s) {
    const double grown = 1 + s, all = grown + mean, square = grown * all;
    return mean * ((grown + all) / (square * square) - log1p_ratio(s).curvature);
  }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V mean = p[0], alpha = p[1], k = y, one = splat<V>(1.0);
    const auto none = k == 0.0;
    const V q = 1.0 / madd(alpha, mean, one), grown = madd(alpha, k, one), log_grown = log1p(alpha * k);
    const V e = (k - mean) * q, t = alpha * e, log_ratio = log(grown * q); // of 1 + t
    const auto rest = log1p_rest(t, grown * q, log_ratio);
    const V n = none ? one : k;
    const auto step = stirling_step<Order>(alpha, k);
    Jet<P, V> out = {};
    const V log_n = log(n);
    const V count = 0.5 * (log_n + log_grown) + kLogSqrt2Pi + (stirling_error_whole(n) - step.value) +
                    deviance_from(n, -e, log_n - log(mean) - log_ratio);
    // no count: only mean q = -e is left of the deviance
    out.value = madd(t * e, rest.value, none ? -e : count);
    if constexpr (Order >= 1) {
      out.grad[0] = -e / mean;
      out.grad[1] = 0.5 * k / grown - e * e * rest.value - (none ? V{} : step.slope);
    }
    if constexpr (Order >= 2) {
      const V s = alpha * mean, share = k / grown;
      out.hess[0][0] = (k * (2.0 * s + 1.0) - s * mean) * (q / mean) * (q / mean);
      out.hess[0][1] = e * q;
      out.hess[1][1] = e * e * (2.0 * mean * q * rest.value - e * rest.slope / grown) - 0.5 * share * share -
                       (none ? V{} : step.curvature);
    }
    if constexpr (Order >= 1) {
      // a count of 1 has (1 + 1 / alpha) log(1 + alpha mean) - log mean, whose derivatives in alpha go to 0 with mean
      const auto single = (k == 1.0) & (mean < 1.0);
      if (any<decltype(y < y)>(single)) {
        const auto g = log1p_ratio(single ? alpha * mean : V{});
        const V share = mean * q;
        out.grad[1] = single ? share + mean * mean * g.slope : out.grad[1];
        if constexpr (Order >= 2)
          out.hess[1][1] = single ? mean * mean * mean * g.curvature - share * share : out.hess[1][1];
      }
    }
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y);
    auto out = tails(k, p).cdf;
    if (k == 1 && p[0] < 1) out.hess[1][1] = p[0] * p[0] * bend_to_one(p[0], p[1] * p[0]);
    return out;
  }
  static Jet<P, double> log_sf(double y, const double *p) { return tails(__builtin_floor(y), p).sf; }

private:
  struct Tails {
    Jet<P, double> cdf, sf;
  };
  // P(Y <= k) is P(M > mean) for the ratio of gamma variables M with shape k + 1. The smaller tail is integrated.
  static Tails tails(double k, const double *p) {
    if (k == 0) return from_cdf(nothing(p));
    const bool above = k + 1 > p[0];
    const auto likely = above ? upper(k, p) : lower(k, p);
    const bool small = likely.value <= -0.69314718055994530942;
    if (above != small) return from_cdf(above ? lower(k, p) : likely);
    const auto f = above ? likely : upper(k, p);
    return {log_complement(f), f};
  }
  static Tails from_cdf(const Jet<P, double> &f) { return {f, log_complement(f)}; }
  static Jet<P, double> nothing(const double *p) {
    const auto f = nll<2>(0.0, p);
    return {-f.value, {-f.grad[0], -f.grad[1]}, {{-f.hess[0][0], -f.hess[0][1]}, {0, -f.hess[1][1]}}};
  }
  static Jet<P, double> lower(double k, const double *p) { // P(Y <= k)
    return in_mean(gamma_ratio_tail<true>(gamma_ratio(k + 1, p[1], p[0])), p[0]);
  }
  static Jet<P, double> upper(double k, const double *p) { // P(Y > k)
    return in_mean(gamma_ratio_tail<false>(gamma_ratio(k + 1, p[1], p[0])), p[0]);
  }
  static Jet<P, double> in_mean(const GammaRatioTail &f, double mean) {
    return {f.log.value,
            {f.log.grad[0] / mean, f.log.grad[1]},
            {{f.bend / mean / mean, f.log.hess[0][1] / mean}, {0, f.log.hess[1][1]}}};
  }
};

NEGLOG_FAMILY(nb2, NB2)

} // namespace NEGLOG_ISA
} // namespace neglog
