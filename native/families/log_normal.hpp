// LogNormal(mu, sigma): log y is Normal(mu, sigma), so the nll is that of the normal at log y, plus log y.
#pragma once

#include "normal.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct LogNormal {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return Normal::valid(p); }
  template <class V> static auto inside(V y, const V *) { return (y > 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V log_y = log(y);
    auto out = Normal::nll<Order>(log_y, p);
    out.value += log_y;
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) { return Normal::log_sf(log(y), p); }
  static Jet<P, double> log_cdf(double y, const double *p) { return Normal::log_cdf(log(y), p); }
};

NEGLOG_FAMILY(log_normal, LogNormal)

} // namespace NEGLOG_ISA
} // namespace neglog
