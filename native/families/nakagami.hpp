// Nakagami(shape m, spread w): Y^2 has a gamma distribution with shape m and mean w.
// nll = log(y / 2) - log(x^m e^-x / Gamma(m)), x = m y^2 / w.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Nakagami {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V m = p[0], w = p[1];
    Jet<P, V> out = in_shape_and_mean(gamma_nll<Order>(m, ratio(y, m, w), log_of_ratio(y, m, w)), m, w);
    out.value += log(0.5 * y);
    // at 0 the density is infinite, sqrt(2 / (pi w)) or zero as m is below, equal to or above 1/2
    return gamma_at_zero(out, y, 2.0 * m, [&] { return 0.5 * (log(w) + kLogHalfPi); });
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return in_shape_and_mean(log_gamma_p(p[0], ratio(y, p[0], p[1]), log_of_ratio(y, p[0], p[1])), p[0], p[1]);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return in_shape_and_mean(log_gamma_q(p[0], ratio(y, p[0], p[1]), log_of_ratio(y, p[0], p[1])), p[0], p[1]);
  }

private:
  static constexpr double kLogHalfPi = 0.45158270528945486473;

  template <class V> static V ratio(V y, V m, V w) { return m * (y / w * y); }
  template <class V> static V log_of_ratio(V y, V m, V w) { return log(m) + log_ratio(y, w) + log(y); }
};

NEGLOG_FAMILY(nakagami, Nakagami)

} // namespace NEGLOG_ISA
} // namespace neglog
