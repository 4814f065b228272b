// GammaMean(mean m, shape a): nll = log y - log(x^a e^-x / Gamma(a)), x = a y / m.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GammaMean {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V m = p[0], a = p[1];
    Jet<P, V> out = swapped(in_shape_and_scale(gamma_nll_by_mean<Order>(a, y / m - 1.0, log_ratio(y, m)), m));
    out.value += log(y);
    return gamma_at_zero(out, y, a, [&] { return log(m); });
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double m = p[0], a = p[1];
    return swapped(in_shape_and_scale(log_gamma_p_by_mean(a, y / m, log_ratio(y, m)), m));
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double m = p[0], a = p[1];
    return swapped(in_shape_and_scale(log_gamma_q_by_mean(a, y / m, log_ratio(y, m)), m));
  }

private:
  template <class V> static Jet<P, V> swapped(const Jet<2, V> &g) {
    return {g.value, {g.grad[1], g.grad[0]}, {{g.hess[1][1], g.hess[0][1]}, {V{}, g.hess[0][0]}}};
  }
};

NEGLOG_FAMILY(gamma_mean, GammaMean)

} // namespace NEGLOG_ISA
} // namespace neglog
