// BurrXII(c, k, scale s): P(Y > y) = (1 + (y / s)^c)^-k = exp(-k L), L = log(1 + exp(x)), x = c u, u = log(y / s), so
// nll = log(s / (c k)) + u - x + (k + 1) L.
//
// Derivatives of x: x_c = u, x_s = -c / s, x_cs = -1 / s, x_ss = c / s^2.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct BurrXII {
  static constexpr int P = 3;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V c = p[0], k = p[1], s = p[2], u = log_ratio(y, s), x = c * u, small = exp(-absolute(x)), zero = V{};
    const auto right = x > 0.0;
    // with L = max(x, 0) + log(1 + small) what is large cancels beforehand; 0 * log 0 = 0
    const V lead = right ? (c * k + 1.0) * u : (c == 1.0 ? zero : (1.0 - c) * u), rest = log1p(small);
    Jet<P, V> out = {};
    out.value = lead + (k + 1.0) * rest - log_ratio(c * k, s);
    if constexpr (Order >= 1) {
      const V larger = 1.0 / (small + 1.0), smaller = small * larger, sigma = right ? larger : smaller;
      const V slope = right ? k - (k + 1.0) * smaller : (k + 1.0) * smaller - 1.0; // of (k + 1) L - x in x
      out.grad[0] = u * slope - 1.0 / c;
      out.grad[1] = (right ? x : zero) + rest - 1.0 / k;
      out.grad[2] = -slope * (c / s);
      if constexpr (Order >= 2) {
        const V bend = (k + 1.0) * larger * smaller;  // its curvature
        const V turn = bend == 0.0 ? zero : u * bend; // u = -inf at y = 0
        out.hess[0][0] = (bend == 0.0 ? zero : u * turn) + 1.0 / c / c;
        out.hess[0][1] = sigma == 0.0 ? zero : u * sigma;
        out.hess[0][2] = -(slope + c * turn) / s;
        out.hess[1][1] = 1.0 / k / k;
        out.hess[1][2] = -sigma * (c / s);
        out.hess[2][2] = (c / s) * ((slope + c * bend) / s);
      }
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double u = log_ratio(y, p[2]), x = p[0] * u, sigma = sigmoid(x);
    return -(variable<P>(1, p[1]) * chain({log1pexp(x), sigma, sigma * sigmoid(-x)}, power(u, p)));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double u = log_ratio(y, p[2]);
    const auto w = log(variable<P>(1, p[1])) + chain(log_log1pexp(p[0] * u), power(u, p)); // log(k L)
    const auto f = log_one_minus_exp(w.value);
    return chain({f.value, f.slope, f.curvature}, w);
  }

private:
  static Jet<P, double> power(double u, const double *p) { // x
    const double c = p[0], s = p[2];
    return {c * u, {u, 0, -c / s}, {{0, 0, -1 / s}, {}, {0, 0, c / s / s}}};
  }

  // log L: slope r = sigma / L with sigma = L', curvature r (1 - sigma - r). The bracket cancels for small a = exp(x);
  // with s = a / (2 + a) and L = sigma (1 + s) (1 + s^2 R), R = atanh_rest(s^2), it is -s (1 - s (1 - s) R) r.
  static Derivatives<double> log_log1pexp(double x) {
    const double a = exp(x);
    if (a > 0.5) {
      const double l = log1pexp(x), sigma = sigmoid(x), r = sigma / l;
      return {log(l), r, r * (sigmoid(-x) - r)};
    }
    const double s = a / (2 + a), rest = atanh_rest(s * s), r = 1 / ((1 + s) * (1 + s * s * rest));
    return {x < -40 ? x : log(log1p(a)), r, -r * s * (1 - s * (1 - s) * rest) * r};
  }
};

NEGLOG_FAMILY(burr_xii, BurrXII)

} // namespace NEGLOG_ISA
} // namespace neglog
