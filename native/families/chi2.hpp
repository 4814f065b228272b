// Chi2(df k): the gamma distribution with shape k / 2 and scale 2.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Chi2 {
  static constexpr int P = 1;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] > 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V a = 0.5 * p[0], x = 0.5 * y;
    Jet<P, V> out = through_shape(gamma_nll<Order>(a, x, log(x)));
    out.value += log(y);
    return gamma_at_zero(out, y, a, [] { return splat<V>(kLog2); });
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return through_shape(log_gamma_p(0.5 * p[0], 0.5 * y, log(0.5 * y)));
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return through_shape(log_gamma_q(0.5 * p[0], 0.5 * y, log(0.5 * y)));
  }

private:
  static constexpr double kLog2 = 0.69314718055994530942;

  template <class V> static Jet<P, V> through_shape(const Jet<2, V> &f) {
    return {f.value, {0.5 * f.grad[0]}, {{0.25 * f.hess[0][0]}}};
  }
};

NEGLOG_FAMILY(chi2, Chi2)

} // namespace NEGLOG_ISA
} // namespace neglog
