// Poisson(rate): nll = rate - y log rate + log y!, in the deviance form of Loader, "Fast and accurate computation of
// binomial probabilities" (2000): log sqrt(2 pi y) + stirling_error(y) + y log(y / rate) + rate - y.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Poisson {
  static constexpr int P = 1;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] >= 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V rate = p[0];
    const auto none = y == 0.0;
    const V n = none ? splat<V>(1.0) : y;
    Jet<P, V> out = {};
    out.value = none ? rate : 0.5 * log(n) + kLogSqrt2Pi + stirling_error_whole(n) + deviance(n, rate);
    if constexpr (Order >= 1) out.grad[0] = none ? splat<V>(1.0) : (rate - y) / rate;
    if constexpr (Order >= 2) out.hess[0][0] = none ? V{} : y / rate / rate;
    return out;
  }

  // P(Y > k) is the incomplete gamma function P(k + 1, rate), P(Y <= k) its complement.
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y), rate = p[0];
    if (k > 0) return in_rate(log_gamma_p(k + 1, rate, log(rate)), rate);
    const double r = 1 / expm1(rate);
    return {log1mexp(-rate), {r}, {{-r * (1 + r)}}};
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y), rate = p[0];
    if (k == 0) return {-rate, {-1.0}, {{0.0}}};
    if (rate == 0) return {0.0, {0.0}, {{k == 1 ? -1.0 : 0.0}}};
    return in_rate(log_gamma_q(k + 1, rate, log(rate)), rate);
  }

private:
  static Jet<P, double> in_rate(const Jet<2, double> &f, double rate) {
    return {f.value, {f.grad[1] / rate}, {{f.hess[1][1] / rate / rate}}};
  }
};

NEGLOG_FAMILY(poisson, Poisson)

} // namespace NEGLOG_ISA
} // namespace neglog
