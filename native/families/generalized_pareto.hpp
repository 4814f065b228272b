// GeneralizedPareto(shape k, scale s): P(Y > y) = exp(-t), t = log(1 + k y / s) / k, so nll = log s + (1 + k) t.
// The support ends at -s / k where k < 0.
#pragma once

#include "family.hpp"
#include "special_power_log.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GeneralizedPareto {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] > 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *p) {
    return (y >= 0.0) & (y < kInf) & (p[0] * (y / p[1]) >= -1.0);
  }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V s = p[1], slope = p[0] + 1.0;
    const auto t = power_log<Order>(p[0], y / s);
    Jet<P, V> out = {};
    out.value = log(s) + (slope == 0.0 ? V{} : slope * t.value); // uniform up to its end, where t is infinite
    // k w = 1 - c and k t_k = w - t, so that large shapes do not cancel
    if constexpr (Order >= 1) {
      out.grad[0] = t.w + t.k;
      out.grad[1] = (t.c - t.w) / s;
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = t.kk - t.w * t.w;
      out.hess[0][1] = t.w * (t.w - t.c) / s;
      out.hess[1][1] = (t.w * (t.c + 1.0) - t.c * t.c) / s / s;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    if (p[0] * (y / p[1]) <= -1) return impossible<P>();
    return -exponent(y, p);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    if (p[0] * (y / p[1]) <= -1) return certain<P>();
    const auto t = exponent(y, p);
    const auto f = log_one_minus_exp(log(t.value));
    return chain({f.value, f.slope, f.curvature - f.slope}, t / t.value); // f is a function of log t
  }

private:
  // t as a function of both parameters
  static Jet<P, double> exponent(double y, const double *p) {
    const double s = p[1];
    const auto t = power_log<2>(p[0], y / s);
    const double w = t.w / s;
    return {t.value, {t.k, -w}, {{t.kk, t.w * w}, {0, w * ((1 + t.c) / s)}}};
  }
};

NEGLOG_FAMILY(generalized_pareto, GeneralizedPareto)

} // namespace NEGLOG_ISA
} // namespace neglog
