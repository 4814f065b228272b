// Weibull(shape k, scale s): nll = t - log(k / s) - (k - 1) log(y / s), t = (y / s)^k, P(Y > y) = exp(-t).
//
// Everything is a function of w = log t = k u, u = log(y / s), whose derivatives are simple:
// w_k = u, w_s = -k/s, w_kk = 0, w_ks = -1/s, w_ss = k/s^2.
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Weibull {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V k = p[0], s = p[1], u = log_ratio(y, s), t = exp(k * u), zero = V{};
    Jet<P, V> out = {};
    out.value = t - log_ratio(k, s) - (k == 1.0 ? zero : (k - 1.0) * u); // 0 * log 0 = 0
    if constexpr (Order >= 1) {
      out.grad[0] = (t - 1.0) * u - 1.0 / k;
      out.grad[1] = (1.0 - t) * (k / s);
    }
    if constexpr (Order >= 2) {
      const V tu = t == 0.0 ? zero : t * u, tuu = t == 0.0 ? zero : tu * u; // u = -inf at y = 0
      out.hess[0][0] = tuu + 1.0 / k / k;
      out.hess[0][1] = (1.0 - t - k * tu) / s;
      out.hess[1][1] = (k / s) * (((k + 1.0) * t - 1.0) / s);
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = p[0], s = p[1], u = log_ratio(y, s), t = exp(k * u);
    return through_log({-t, -t, -t}, u, k, s);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = p[0], s = p[1], u = log_ratio(y, s);
    return through_log(log_one_minus_exp(k * u), u, k, s);
  }
};

NEGLOG_FAMILY(weibull, Weibull)

} // namespace NEGLOG_ISA
} // namespace neglog
