// Beta(a, b): nll = log B(a, b) - (a - 1) log y - (b - 1) log(1 - y), in the deviance form of Loader, "Fast and
// accurate computation of binomial probabilities" (2000), which does not cancel for large shapes.
#pragma once

#include "special_incomplete_beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Beta {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = 1;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y <= 1.0); }

  // logs of the shares a / n and b / n, n = a + b; the derivatives of log B(a, b), and what its value adds to deviances
  template <class V> struct Law {
    V share_a, share_b, constant, grad[P], hess[P][P];
  };
  template <int Order, class V> static Law<V> law(const V *p) {
    const V a = p[0], b = p[1], n = a + b, log_a = log(a), log_b = log(b), log_n = log(n);
    Law<V> out = {};
    out.share_a = log_a - log_n, out.share_b = log_b - log_n;
    out.constant = (stirling_error<0>(a).value + stirling_error<0>(b).value - stirling_error<0>(n).value) +
                   0.5 * (log_n - log_a - log_b) + kLogSqrt2Pi;
    if constexpr (Order >= 1) {
      const auto from_a = polygamma_step<Order>(a, b), from_b = polygamma_step<Order>(b, a);
      out.grad[0] = -from_a.digamma, out.grad[1] = -from_b.digamma;
      if constexpr (Order >= 2) {
        out.hess[0][0] = -from_a.trigamma, out.hess[1][1] = -from_b.trigamma;
        out.hess[0][1] = -log_gamma<2>(n).curvature;
      }
    }
    return out;
  }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return nll<Order>(y, p, law<Order>(p)); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p, const Law<V> &law) {
    const V a = p[0], b = p[1], excess = a * (1.0 - y) - b * y, log_y = log(y), log_z = log1p(-y);
    Jet<P, V> out = {};
    out.value = deviance_from(a, -excess, law.share_a - log_y) + deviance_from(b, excess, law.share_b - log_z) +
                law.constant + log_y + log_z;
    // on the ends of the support, where a shape of 1 is finite
    const auto at_end = (y == 0.0) | (y == 1.0);
    if (any<decltype(y < y)>(at_end)) {
      const V shape = y == 0.0 ? a : b, other = y == 0.0 ? b : a;
      const V edge = shape == 1.0 ? -log(other) : (shape > 1.0 ? splat<V>(kInf) : splat<V>(-kInf));
      out.value = at_end ? edge : out.value;
    }
    if constexpr (Order >= 1) {
      out.grad[0] = law.grad[0] - log_y;
      out.grad[1] = law.grad[1] - log_z;
      if constexpr (Order >= 2) {
        out.hess[0][0] = law.hess[0][0], out.hess[0][1] = law.hess[0][1];
        out.hess[1][1] = law.hess[1][1];
      }
    }
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return shapes(log_incomplete_beta(beta_cut(p[0], p[1], y, 1 - y)));
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return shapes(mirrored(log_incomplete_beta(beta_cut(p[1], p[0], 1 - y, y))));
  }

  // near 1 it is 1 - y that has the digits
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (lo < 0.5) return log_between<Beta>(lo, hi, p);
    const double swapped[P] = {p[1], p[0]};
    const auto f = log_between<Beta>(1 - hi, 1 - lo, swapped);
    return {f.value, {f.grad[1], f.grad[0]}, {{f.hess[1][1], f.hess[0][1]}, {0, f.hess[0][0]}}};
  }

private:
  static Jet<P, double> shapes(const Jet<3, double> &f) {
    return {f.value, {f.grad[1], f.grad[2]}, {{f.hess[1][1], f.hess[1][2]}, {0, f.hess[2][2]}}};
  }
};

NEGLOG_FAMILY(beta, Beta)

} // namespace NEGLOG_ISA
} // namespace neglog
