// NB1(mean, alpha): the negative binomial with variance mean (1 + alpha), which is NB2 with alpha / mean for alpha.
#pragma once

#include "families/nb2.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct NB1 {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return NB2::valid(p); }
  template <class V> static auto inside(V y, const V *p) { return NB2::inside(y, p); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V inner[P] = {p[0], p[1] / p[0]};
    return outward<Order>(NB2::nll<Order>(y, inner), p);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double inner[P] = {p[0], p[1] / p[0]};
    return outward<2>(NB2::log_cdf(y, inner), p);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double inner[P] = {p[0], p[1] / p[0]};
    return outward<2>(NB2::log_sf(y, inner), p);
  }

private:
  // chain rule for a = alpha / mean
  template <int Order, class V> static Jet<P, V> outward(const Jet<P, V> &f, const V *p) {
    const V r = 1.0 / p[0], slope = -p[1] * r * r; // da / dalpha, da / dmean
    Jet<P, V> out = {};
    out.value = f.value;
    if constexpr (Order >= 1) {
      out.grad[0] = f.grad[0] + f.grad[1] * slope;
      out.grad[1] = f.grad[1] * r;
    }
    if constexpr (Order >= 2) {
      const V mixed = f.hess[0][1] + f.hess[1][1] * slope;
      out.hess[0][0] = f.hess[0][0] + (f.hess[0][1] + mixed) * slope - 2.0 * r * slope * f.grad[1];
      out.hess[0][1] = (mixed - f.grad[1] * r) * r;
      out.hess[1][1] = f.hess[1][1] * r * r;
    }
    return out;
  }
};

NEGLOG_FAMILY(nb1, NB1)

} // namespace NEGLOG_ISA
} // namespace neglog
