// Gompertz(shape c, scale s): nll = c (e^z - 1) - z - log(c / s), z = y / s; P(Y > y) = exp(-c (e^z - 1)).
//
// Who has reached the age a has the rest of a life that is Gompertz(c e^(a / s), s), so an interval is a tail at its
// lower end and a lower tail from there on.
#pragma once

#include "location_scale.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Gompertz {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  // c e^z, z times the hazard's slope; c may be small enough for an e^z beyond the range of numbers
  template <class V> static V grown(V c, V z) {
    const V root = exp(0.5 * z);
    return c * root * root;
  }
  // c (e^z - 1) from c e^z; from z = 40 on they are the same
  template <class V> static V cumulative(V c, V z, V hazard) { return z > 40.0 ? hazard : c * expm1(z); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V c = p[0], s = p[1], ratio = y / s;
    const V z = ratio < 0x1p1000 ? ratio : splat<V>(0x1p1000); // inf - inf is none of the limits below
    const V hazard = grown(c, z);
    Jet<P, V> out = {};
    out.value = cumulative(c, z, hazard) - z - log_ratio(c, s);
    if constexpr (Order >= 1) {
      out.grad[0] = expm1(z) - 1.0 / c;
      out.grad[1] = (1.0 + z * (1.0 - hazard)) / s;
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = 1.0 / c / c;
      out.hess[0][1] = -z * exp(z) / s;
      out.hess[1][1] = (z * (hazard * (z + 2.0) - 2.0) - 1.0) / s / s;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double c = p[0], s = p[1], z = y / s, hazard = grown(c, z);
    return {-cumulative(c, z, hazard),
            {-expm1(z), z * hazard / s},
            {{0, z * exp(z) / s}, {0, -z * (z + 2) * hazard / s / s}}};
  }
  static Jet<P, double> log_cdf(double y, const double *p) { return log_soon(0, y, p); }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    return log_sf(lo, p) + log_soon(lo, hi - lo, p);
  }

private:
  // log P(Y <= from + wait | Y > from), through the logarithm of the hazard between, w = log c + a + log(e^d - 1),
  // a = from / s, d = wait / s: w_s = -(a + d + q) / s with q = d / (e^d - 1), w_ss = (2 a + (d + q) (2 - q)) / s^2.
  static Jet<P, double> log_soon(double from, double wait, const double *p) {
    const double c = p[0], s = p[1], a = from / s, d = wait / s;
    const double q = d < 0x1p-60 ? 1 : d / expm1(d);
    const double between = grown(c * expm1(d), a);
    const bool in_range = d >= 0x1p-1022 && c * expm1(d) >= 0x1p-1022 && between < kInf;
    const double log_growth = d < 1 ? log_ratio(wait, s) - log(q) : d + log1mexp(-d);
    const auto f = log_one_minus_exp(in_range ? log(between) : log(c) + a + log_growth);
    if (f.slope == 0) return constant<P>(f.value, 0); // certain, also where a or d is too large for products
    const double k = d + q;
    return chain(f, Jet<P, double>{0, {1 / c, -(a + k) / s}, {{-1 / c / c, 0}, {0, (2 * a + k * (2 - q)) / s / s}}});
  }
};

NEGLOG_FAMILY(gompertz, Gompertz)

} // namespace NEGLOG_ISA
} // namespace neglog
