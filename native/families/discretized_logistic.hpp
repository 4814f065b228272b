// DiscretizedLogistic(loc, scale) on y = 0, ..., bins - 1: the probability that a Logistic(loc, scale) variable falls
// into the bin around x = 2 y / (bins - 1) - 1, whose half width is 1 / (bins - 1). The first and the last bin reach to
// infinity. Salimans et al., "PixelCNN++" (2017), section 2.1.
//
// The third argument, bins, is a known number: it has no derivatives, and those that stand in its place are 0.
#pragma once

#include "logistic.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct DiscretizedLogistic {
  static constexpr int P = 3;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return Logistic::valid(p) & (p[2] >= 2.0) & (p[2] < kInf); }
  template <class V> static auto inside(V y, const V *p) { return (y >= 0.0) & (y <= p[2] - 1.0) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V last = p[2] - 1.0, far = splat<V>(1e300);
    const auto at_first = y == 0.0, at_last = y == last;
    const V below = at_first ? -far : (2.0 * y - p[2]) / last - p[0];
    const V above = at_last ? far : edge(y, p[2]) - p[0];
    return known_bins(Logistic::interval_nll<Order>(below, above, at_first | at_last ? far : 2.0 / last, p[1]));
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    return y >= p[2] - 1 ? certain<P>() : known_bins(Logistic::log_cdf(edge(__builtin_floor(y), p[2]), p));
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    return y >= p[2] - 1 ? impossible<P>() : known_bins(Logistic::log_sf(edge(__builtin_floor(y), p[2]), p));
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (hi >= p[2] - 1) return log_sf(lo, p);
    const double below = edge(lo, p[2]) - p[0], above = edge(hi, p[2]) - p[0], width = 2 * (hi - lo) / (p[2] - 1);
    return -known_bins(Logistic::interval_nll<2>(below, above, width, p[1]));
  }

private:
  // upper end of the bin of y
  template <class V> static V edge(V y, V bins) { return (2.0 * y - bins + 2.0) / (bins - 1.0); }

  template <class V> static Jet<P, V> known_bins(const Jet<2, V> &jet) {
    Jet<P, V> out = {};
    out.value = jet.value;
    for (int i = 0; i < 2; ++i) out.grad[i] = jet.grad[i];
    for (int i = 0; i < 2; ++i)
      for (int j = i; j < 2; ++j) out.hess[i][j] = jet.hess[i][j];
    return out;
  }
};

NEGLOG_FAMILY(discretized_logistic, DiscretizedLogistic)

} // namespace NEGLOG_ISA
} // namespace neglog
