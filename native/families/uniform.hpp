// Uniform(low, high): nll = log(high - low) on [low, high], both ends included.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Uniform {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (absolute(p[0]) < kInf) & (absolute(p[1]) < kInf) & (p[0] < p[1]);
  }
  template <class V> static auto inside(V y, const V *p) { return (y >= p[0]) & (y <= p[1]); }

  template <int Order, class V> static Jet<P, V> nll(V, const V *p) {
    const V r = 1.0 / (p[1] - p[0]);
    Jet<P, V> out = {};
    out.value = log(p[1] - p[0]);
    if constexpr (Order >= 1) {
      out.grad[0] = -r;
      out.grad[1] = r;
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = out.hess[1][1] = -r * r;
      out.hess[0][1] = r * r;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) { return share(y, kInf, p); }
  static Jet<P, double> log_cdf(double y, const double *p) { return share(-kInf, y, p); }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) { return share(lo, hi, p); }

private:
  // log of (top - bottom) / (high - low), where an end beyond the support moves with the support's end
  static Jet<P, double> share(double lo, double hi, const double *p) {
    const bool from_low = lo <= p[0], to_high = hi >= p[1];
    if (from_low && to_high) return certain<P>();
    if (hi <= p[0] || lo >= p[1]) return impossible<P>();
    const double bottom = from_low ? p[0] : lo, top = to_high ? p[1] : hi;
    const double width = p[1] - p[0], inside = top - bottom, outside = (bottom - p[0]) + (p[1] - top);
    const double r = 1 / width, q = 1 / inside;
    Jet<P, double> out = {};
    out.value = inside < outside ? log(inside / width) : log1p(-outside / width);
    // what is outside over what is inside, where an end moves both
    out.grad[0] = from_low ? -outside * q * r : r;
    out.grad[1] = to_high ? outside * q * r : -r;
    out.hess[0][1] = -r * r;
    out.hess[0][0] = from_low ? -outside * q * r * (q + r) : r * r;
    out.hess[1][1] = to_high ? -outside * q * r * (q + r) : r * r;
    return out;
  }
};

NEGLOG_FAMILY(uniform, Uniform)

} // namespace NEGLOG_ISA
} // namespace neglog
