// Geometric(p), the trial of the first success, 1, 2, ...: nll = -log p - (y - 1) log(1 - p); P(Y > y) = (1 - p)^y.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Geometric {
  static constexpr int P = 1;
  static constexpr bool discrete = true;
  static constexpr double low = 1, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] > 0.0) & (p[0] <= 1.0); }
  template <class V> static auto inside(V y, const V *) { return (y >= 1.0) & (y < kInf) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V prob = p[0], failures = y - 1.0, rest = 1.0 - prob;
    const auto first = failures == 0.0; // 0 * log 0 = 0
    Jet<P, V> out = {};
    out.value = -log(prob) - (first ? V{} : failures * log1p(-prob));
    const V odds = first ? V{} : failures / rest;
    if constexpr (Order >= 1) out.grad[0] = odds - 1.0 / prob;
    if constexpr (Order >= 2) out.hess[0][0] = (first ? V{} : odds / rest) + 1.0 / prob / prob;
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y), rest = 1 - p[0];
    if (rest == 0) return impossible<P>();
    return {k * log1p(-p[0]), {-k / rest}, {{-k / rest / rest}}};
  }

  // a function of w = log(-k log(1 - p)): w' = 1 / ((1 - p) L), w'' = w' (1 / (1 - p) - w'), L = -log(1 - p)
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y), rest = 1 - p[0];
    if (k == 1) return {log(p[0]), {1 / p[0]}, {{-1 / p[0] / p[0]}}};
    if (rest == 0) return {0, {0}, {{k == 2 ? -2.0 : 0.0}}}; // of log(1 - (1 - p)^k)
    const double rate = -log1p(-p[0]), w = 1 / (rest * rate);
    const auto f = log_one_minus_exp(log(rate) + log(k));
    return {f.value, {f.slope * w}, {{w * ((f.curvature - f.slope) * w + f.slope / rest)}}};
  }
  // without memory: P(lo < Y <= hi) = P(Y > lo) P(Y <= hi - lo)
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    const auto beyond = log_sf(lo, p);
    return beyond.value > -kInf ? beyond + log_cdf(hi - lo, p) : beyond;
  }
};

NEGLOG_FAMILY(geometric, Geometric)

} // namespace NEGLOG_ISA
} // namespace neglog
