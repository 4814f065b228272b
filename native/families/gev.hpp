// GEV(shape k, loc m, scale s): P(Y <= y) = exp(-e), e = exp(-t), t = log(1 + k z) / k, z = (y - m) / s, so
// nll = log s + (1 + k) t + e. The support ends at m - s / k: below for k > 0, above for k < 0.
//
// Derivatives of t, in the terms of PowerLog: t_k and t_kk as they are, t_m = -c / s, t_s = -w / s, t_km = w c / s,
// t_ks = w^2 / s, t_mm = -k c^2 / s^2, t_ms = c^2 / s^2, t_ss = w (1 + c) / s^2.
#pragma once

#include "family.hpp"
#include "special_power_log.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GEV {
  static constexpr int P = 3;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (absolute(p[0]) < kInf) & (absolute(p[1]) < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *p) {
    return (absolute(y) < kInf) & (p[0] * ((y - p[1]) / p[2]) > -1.0);
  }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V k = p[0], s = p[2];
    const auto t = power_log<Order>(k, (y - p[1]) / s);
    const V e = exp(-t.value), slope = k + 1.0 - e; // of (1 + k) t + e in t
    Jet<P, V> out = {};
    out.value = log(s) + (k + 1.0) * t.value + e;
    // k w = 1 - c and k t_k = w - t, so that large shapes do not cancel
    const V rest = t.c - t.w + e * t.w; // 1 - slope w
    if constexpr (Order >= 1) {
      out.grad[0] = t.w + (1.0 - e) * t.k;
      out.grad[1] = -slope * t.c / s;
      out.grad[2] = rest / s;
    }
    if constexpr (Order >= 2) {
      const V c = t.c / s, w = t.w / s, bend = rest + e * t.k;
      out.hess[0][0] = (1.0 - e) * t.kk + e * t.k * t.k - t.w * t.w;
      out.hess[0][1] = -c * bend;
      out.hess[0][2] = -w * bend;
      out.hess[1][1] = c * c * (e - k * slope);
      out.hess[1][2] = c * (e * w + slope * c);
      out.hess[2][2] = (w / s) * (t.c + 1.0) * (1.0 - e) - c * c + e * w * w;
    }
    return out;
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    if (beyond(y, p)) return p[0] > 0 ? impossible<P>() : certain<P>();
    const auto t = variate(y, p);
    const double e = exp(-t.value);
    return chain({-e, e, -e}, t);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    if (beyond(y, p)) return p[0] > 0 ? certain<P>() : impossible<P>();
    const auto t = variate(y, p);
    const auto f = log_one_minus_exp(-t.value);
    return chain({f.value, -f.slope, f.curvature}, t);
  }

private:
  static bool beyond(double y, const double *p) { return p[0] * ((y - p[1]) / p[2]) <= -1; }

  // t as a function of the parameters
  static Jet<P, double> variate(double y, const double *p) {
    const double k = p[0], s = p[2];
    const auto t = power_log<2>(k, (y - p[1]) / s);
    const double c = t.c / s, w = t.w / s;
    return {t.value, {t.k, -c, -w}, {{t.kk, t.w * c, t.w * w}, {0, -k * c * c, c * c}, {0, 0, w * ((1 + t.c) / s)}}};
  }
};

NEGLOG_FAMILY(gev, GEV)

} // namespace NEGLOG_ISA
} // namespace neglog
