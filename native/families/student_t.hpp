// StudentT(df, loc, scale): nll = (df + 1) / 2 log(1 + z^2 / df) + log scale + log sqrt(2 pi) - r(df / 2), z = (y -
// loc) / scale, r(x) = log Gamma(x + 1/2) - log Gamma(x) - log(x) / 2: normal to the last digit as df grows.
#pragma once

#include "special_gamma_ratio.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct StudentT {
  static constexpr int P = 3;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (absolute(p[1]) < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static auto law(const V *p) { return half_step<Order>(0.5 * p[0]); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return nll<Order>(y, p, law<Order>(p)); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p, const Derivatives<V> &r) {
    const V df = p[0], scale = p[2], z = (y - p[1]) / scale, s = z * z / df, log_scale = log(scale);
    V grown = log1p(s); // log(1 + z^2 / df)
    const auto huge = s > 1e300;
    if (any<decltype(y < y)>(huge)) grown = huge ? 2.0 * log(absolute(z)) - log(df) : grown;
    Jet<P, V> out = {};
    out.value = 0.5 * (df + 1.0) * grown - r.value + log_scale + kLogSqrt2Pi;
    if constexpr (Order == 0) return out;
    const V q = 1.0 / (s + 1.0), b = huge ? splat<V>(1.0) : s * q; // shares of df and z^2 in their sum
    const V weight = (df + 1.0) / df, per_scale = 1.0 / scale;
    const V g = huge ? (df + 1.0) / z : weight * z * q;                      // d nll / dz
    const V rest = s < 1.0 ? log1pmx(s < 1.0 ? s : V{}) + s * b : grown - b; // log(1 + s) - s / (1 + s)
    out.grad[0] = 0.5 * (rest - b / df - r.slope);
    out.grad[1] = -g * per_scale;
    out.grad[2] = huge ? -df * per_scale : (1.0 - z) * (1.0 + z) * q * per_scale;
    if constexpr (Order >= 2) {
      const V precision = per_scale * per_scale, gz = weight * (q - b) * q; // slope of g
      const V g_df = huge ? 1.0 / z : (z - 1.0) * (z + 1.0) / df * (z * q) * (q / df);
      out.hess[0][0] = 0.5 * (b * (q + 1.0) / df - b * b) / df - 0.25 * r.curvature;
      out.hess[0][1] = -g_df * per_scale;
      out.hess[0][2] = -g_df * z * per_scale;
      out.hess[1][1] = gz * precision;
      out.hess[1][2] = 2.0 * weight * z * q * q * precision;
      out.hess[2][2] = huge ? df * precision : ((z - 1.0) * (z + 1.0) + 2.0 * (df + 1.0) * b) * q * precision;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) { return tail((y - p[1]) / p[2], p, 1.0); }
  static Jet<P, double> log_cdf(double y, const double *p) { return tail((p[1] - y) / p[2], p, -1.0); }

private:
  using Inner = Jet<2, double>;

  // log P(T > z) where z = side (y - loc) / scale
  static Jet<P, double> tail(double z, const double *p, double side) {
    const double df = p[0], r = 1 / p[2], per_z = side * r / z;
    Jet<P, double> jets[2] = {{}, variable<P>(0, df)};
    auto &u = jets[0];
    if (z * z < 0.45) { // in (z, df)
      u.value = z, u.grad[1] = -side * r, u.grad[2] = -z * r, u.hess[1][2] = side * r * r, u.hess[2][2] = 2 * z * r * r;
      return chain(middle(z, df), jets);
    }
    // in (log |z|, df), because 1 / z^2 may have left the range
    u.grad[1] = -per_z, u.grad[2] = -r, u.hess[1][1] = -per_z * per_z, u.hess[2][2] = r * r;
    const Inner f = upper(absolute(z), df);
    return chain(z > 0 ? f : log_complement(f), jets);
  }

  static GammaRatio half_square(double z, double df) {
    const double alpha = 2 / df;
    const GammaRatio g = gamma_ratio(0.5, alpha, 0.5 * z * z);
    return {0.5, g.alpha, g.m,
            2 * log(absolute(z)) + (alpha == g.alpha ? -log(df) : log(g.alpha) - 0.69314718055994530942)};
  }

  // P(T > z) = P(T^2 > z^2) / 2 for z > 0, as a function of (log z, df)
  static Inner upper(double z, double df) {
    const auto f = gamma_ratio_tail<true>(half_square(z, df)).log;
    const double slope = -2 / df / df; // of alpha
    return {
        f.value - 0.69314718055994530942,
        {2 * f.grad[0], f.grad[1] * slope},
        {{4 * f.hess[0][0], 2 * f.hess[0][1] * slope}, {0, f.hess[1][1] * slope * slope - 2 * f.grad[1] * slope / df}}};
  }

  // P(T > z) = (1 -+ P(T^2 < z^2)) / 2, with the density for all derivatives in z,
  // as a function of (z, df)
  static Inner middle(double z, double df) {
    const double standard[P] = {df, 0, 1}, sign = z < 0 ? -1 : 1, slope = -2 / df / df;
    const auto density = nll<2>(z, standard);
    Inner out = {};
    out.value = -0.69314718055994530942;
    if (z != 0) {
      const auto f = gamma_ratio_tail<false>(half_square(z, df)).log;
      const double mass = sign * exp(f.value), share = -mass / (1 - mass), step = f.grad[1] * slope;
      out.value += log1p(-mass);
      out.grad[1] = share * step;
      out.hess[1][1] =
          share * (f.hess[1][1] * slope * slope - 2 * f.grad[1] * slope / df + step * step) - out.grad[1] * out.grad[1];
    }
    const double hazard = exp(-density.value - out.value);
    out.grad[0] = -hazard;
    out.hess[0][0] = -hazard * (density.grad[1] + hazard);
    out.hess[0][1] = hazard * (density.grad[0] + out.grad[1]);
    return out;
  }
};

NEGLOG_FAMILY(student_t, StudentT)

} // namespace NEGLOG_ISA
} // namespace neglog
