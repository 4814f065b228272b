// Pareto(shape a, scale m): nll = (a + 1) u - log(a / m), u = log(y / m) >= 0; P(Y > y) = exp(-a u). No y lies below m.
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Pareto {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *p) { return (y >= p[1]) & (y < kInf); }

  template <int Order, class V> static auto law(const V *p) { return log_ratio(p[1], p[0]); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return nll<Order>(y, p, law<Order>(p)); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p, V log_spread) {
    const V a = p[0], m = p[1], u = log_from_scale(y, m);
    Jet<P, V> out = {};
    out.value = (a + 1.0) * u + log_spread;
    if constexpr (Order >= 1) {
      out.grad[0] = u - 1.0 / a;
      out.grad[1] = -a / m;
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = 1.0 / a / a;
      out.hess[0][1] = -1.0 / m;
      out.hess[1][1] = a / m / m;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    if (y < p[1]) return certain<P>();
    const double u = log_from_scale(y, p[1]);
    return {-p[0] * u, {-u, p[0] / p[1]}, {{0, 1 / p[1]}, {0, -p[0] / p[1] / p[1]}}};
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    if (y <= p[1]) return impossible<P>();
    const double u = log_from_scale(y, p[1]);
    // of w = log(a u), where w_m = -1 / (m u) and w_mm = (1 - 1 / u) / (m^2 u)
    const auto f = log_one_minus_exp(log(p[0]) + log(u));
    const double in_a = f.slope / p[0], in_m = -f.slope / (p[1] * u);
    const double bend = f.slope == 0 ? 0 : f.curvature / f.slope;
    return {f.value,
            {in_a, in_m},
            {{in_a * (bend - 1) / p[0], in_m * bend / p[0]}, {0, in_m * ((1 - bend) / u - 1) / p[1]}}};
  }
  // P(lo < Y <= hi) = P(Y > lo) (1 - exp(-a log(hi / lo))), whose second factor does not know m
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (hi <= p[1]) return impossible<P>();
    if (lo <= p[1]) return log_cdf(hi, p);
    auto out = log_sf(lo, p);
    const double ends[] = {p[0], lo};
    const auto width = log_cdf(hi, ends);
    out.value += width.value;
    out.grad[0] += width.grad[0];
    out.hess[0][0] += width.hess[0][0];
    return out;
  }

private:
  // log(y / m) for y >= m, exact where they are close
  template <class V> static V log_from_scale(V y, V m) {
    const V excess = (y - m) / m;
    const auto far = excess > 1e15;
    const V near = log1p(excess);
    return any<decltype(y < y)>(far) ? (far ? log_ratio(y, m) : near) : near;
  }
};

NEGLOG_FAMILY(pareto, Pareto)

} // namespace NEGLOG_ISA
} // namespace neglog
