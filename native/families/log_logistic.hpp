// LogLogistic(shape k, scale s): log y is Logistic(log s, 1 / k). With u = log(y / s) and w = k u the tails are
// P(Y > y) = 1 / (1 + e^w), and nll = 2 log(1 + e^w) - (k - 1) u - log(k / s).
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct LogLogistic {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V k = p[0], s = p[1], u = log_ratio(y, s), w = k * u, zero = V{};
    const auto f = softplus(w);
    Jet<P, V> out = {};
    out.value = 2.0 * f.value - (k == 1.0 ? zero : (k - 1.0) * u) - log_ratio(k, s); // 0 * log 0 = 0
    if constexpr (Order >= 1) {
      const V tanh = tanh_with_slope(0.5 * w).value; // 2 f.slope - 1
      out.grad[0] = u * tanh - 1.0 / k;
      out.grad[1] = -tanh * (k / s);
      if constexpr (Order >= 2) {
        const V bend = y == 0.0 ? zero : 2.0 * f.curvature * u; // u = -inf at y = 0
        out.hess[0][0] = (y == 0.0 ? zero : bend * u) + 1.0 / k / k;
        out.hess[0][1] = -(tanh + bend * k) / s;
        out.hess[1][1] = (k / s) * ((2.0 * f.curvature * k + tanh) / s);
      }
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double u = log_ratio(y, p[1]);
    const auto f = softplus(p[0] * u);
    return through_log({-f.value, -f.slope, -f.curvature}, u, p[0], p[1]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double u = log_ratio(y, p[1]);
    const auto f = softplus(-p[0] * u);
    return through_log({-f.value, f.slope, -f.curvature}, u, p[0], p[1]);
  }
};

NEGLOG_FAMILY(log_logistic, LogLogistic)

} // namespace NEGLOG_ISA
} // namespace neglog
