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
    const V log_y = log(y);
    Jet<P, V> out = in_shape_and_scale(gamma_nll_by_mean<Order>(m, y / w * y - 1.0, log_ratio(y, w) + log_y), w);
    out.value += log_y - kLog2;
    // at 0 the density is infinite, sqrt(2 / (pi w)) or zero as m is below, equal to or above 1/2
    return gamma_at_zero(out, y, 2.0 * m, [&] { return 0.5 * (log(w) + kLogHalfPi); });
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double m = p[0], w = p[1];
    return in_shape_and_scale(log_gamma_p_by_mean(m, y / w * y, log_ratio(y, w) + log(y)), w);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double m = p[0], w = p[1];
    return in_shape_and_scale(log_gamma_q_by_mean(m, y / w * y, log_ratio(y, w) + log(y)), w);
  }

private:
  static constexpr double kLog2 = 0.69314718055994530942, kLogHalfPi = 0.45158270528945486473;
};

NEGLOG_FAMILY(nakagami, Nakagami)

} // namespace NEGLOG_ISA
} // namespace neglog
