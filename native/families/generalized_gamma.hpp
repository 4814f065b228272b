// GeneralizedGamma(shape Q, mu, sigma), Prentice's form: with z = (log y - mu) / sigma, the variable x = a e^(Q z) with
// a = 1 / Q^2 has a gamma distribution with shape a and scale 1; Q = 0 is the lognormal distribution.
//   nll = log y + log sigma + log sqrt(2 pi) + S(Q) + g(z, Q),  g = (e^(Q z) - 1 - Q z) / Q^2,
// where S is stirling_error(1 / Q^2) = Q^2 / 12 - ...: both are smooth through Q = 0, and so is everything below.
#pragma once

#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// b(t) = (e^t - 1 - t) / t^2 with two derivatives.  Domain: all.  Relative error 3e-15 (derivatives 1e-14), worst where
// the Taylor series ends, at |t| = 1.  V is double or VecD.
template <int Order, class V> inline Derivatives<V> exponential_bend(V t) {
  const auto near = absolute(t) < 1.0;
  const V s = near ? t : V{};
  Derivatives<V> out = {};
  double factorial = 6402373705728000;         // 18!
  for (int k = 18; k >= 2; factorial /= k--) { // Horner's rule, for the derivatives too
    if constexpr (Order >= 2) out.curvature = madd(out.curvature, s, 2.0 * out.slope);
    if constexpr (Order >= 1) out.slope = madd(out.slope, s, out.value);
    out.value = madd(out.value, s, splat<V>(1 / factorial));
  }
  if (!any<decltype(t < t)>(absolute(t) >= 1.0)) return out;
  const V far = near ? splat<V>(1.0) : t, r = 1.0 / far, e1 = expm1(far), e = e1 + 1.0;
  out.value = near ? out.value : (e1 - far) * r * r;
  if constexpr (Order >= 1) out.slope = near ? out.slope : (e * (far - 2.0) + far + 2.0) * r * r * r;
  if constexpr (Order >= 2)
    out.curvature = near ? out.curvature : (e * ((far - 4.0) * far + 6.0) - 2.0 * far - 6.0) * r * r * r * r;
  return out;
}

struct GeneralizedGamma {
  static constexpr int P = 3;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (absolute(p[0]) < kInf) & (absolute(p[1]) < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static auto law(const V *p) { return stirling_error_of<Order>(p[0]); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return nll<Order>(y, p, law<Order>(p)); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p, const Derivatives<V> &error) {
    const V q = p[0], s = p[2], log_y = log(y), z = (log_y - p[1]) / s, log_s = log(s);
    const auto b = exponential_bend<Order>(q * z);
    Jet<P, V> out = in_mu_and_sigma(exponent<Order>(z, q, b, error), z, s);
    out.value += log_y + log_s + kLogSqrt2Pi;
    if constexpr (Order >= 1) out.grad[2] += 1.0 / s;
    if constexpr (Order >= 2) out.hess[2][2] -= 1.0 / s / s;
    // near 0 the density is a power of y: 1 / (Q sigma) - 1, below Q = 0 a steeper zero
    const V power = q > 0.0 ? 1.0 / (q * s) : splat<V>(kInf);
    return gamma_at_zero(out, y, power, [&] { return log_s + kLogSqrt2Pi + error.value - 1.0 / q / q + p[1]; });
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double z = (log(y) - p[1]) / p[2];
    return in_mu_and_sigma(upper(z, p[0]), z, p[2]);
  }
  static Jet<P, double> log_cdf(double y, const double *p) { // log y - mu and Q change signs together
    const double z = (log(y) - p[1]) / p[2];
    return in_mu_and_sigma(mirrored(upper(-z, -p[0])), z, p[2]);
  }

private:
  using Tail = Jet<2, double>; // in Q and z

  // S(Q). Below 1e-40, where 1 / Q^2 leaves the range, it is 0 to the last bit and its curvature constant.
  template <int Order, class V> static Derivatives<V> stirling_error_of(V q) {
    q = absolute(q) < 1e-40 ? splat<V>(1e-40) : q;
    const V r = 1.0 / q, a = r * r;
    const auto f = stirling_error<Order>(a);
    const V slope = -2.0 * a * r; // of a
    return {f.value, f.slope * slope, f.curvature * slope * slope + f.slope * 6.0 * a * a};
  }

  // g + S in Q and z, given b at Q z
  template <int Order, class V>
  static Jet<2, V> exponent(V z, V q, const Derivatives<V> &b, const Derivatives<V> &error) {
    const V t = q * z, zz = z * z;
    Jet<2, V> out = {};
    out.value = zz * b.value + error.value;
    if constexpr (Order >= 1) {
      out.grad[0] = zz * z * b.slope + error.slope;
      out.grad[1] = z * slope_ratio(t, b.value);
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = zz * zz * b.curvature + error.curvature;
      out.hess[0][1] = zz * (b.value + t * b.slope);
      out.hess[1][1] = exp(t);
    }
    return out;
  }

  // (e^t - 1) / t = 1 + t b, without the cancellation far down
  template <class V> static V slope_ratio(V t, V bend) { return absolute(t) < 1.0 ? 1.0 + t * bend : expm1(t) / t; }

  template <class V> static Jet<P, V> in_mu_and_sigma(const Jet<2, V> &f, V z, V s) {
    const V fz = f.grad[1] / s, fzz = f.hess[1][1] / s, fqz = f.hess[0][1] / s;
    return {
        f.value,
        {f.grad[0], -fz, -z * fz},
        {{f.hess[0][0], -fqz, -z * fqz}, {V{}, fzz / s, (fzz * z + fz) / s}, {V{}, V{}, z * (fzz * z + 2.0 * fz) / s}}};
  }

  static Tail mirrored(Tail f) {
    f.grad[0] = -f.grad[0], f.grad[1] = -f.grad[1];
    return f;
  }

  // log P(Z > z). For shapes below 20 by the incomplete gamma functions.
  static Tail upper(double z, double q) {
    if (q * q * 20 < 1) return z >= 0 ? upper_near_normal(z, q) : log_complement(mirrored(upper_near_normal(-z, -q)));
    const double r = 1 / q, a = r * r, t = q * z, x = a * exp(t);
    const Tail shape = {a, {-2 * a * r, 0}, {{6 * a * a, 0}, {0, 0}}};
    const Tail log_x = {log(a) + t, {z - 2 * r, q}, {{2 * a, 1}, {0, 0}}};
    const auto f = q > 0 ? log_gamma_q_in_log(a, x, log_x.value) : log_gamma_p_in_log(a, x, log_x.value);
    return chain(f, {shape, log_x});
  }

  // The same for z >= 0 and small Q: the density times the integral of exp(-k(v)) over v > 0,
  // k = g(z + v) - g(z) = e^(Q z) v^2 b(Q v) + v (e^(Q z) - 1) / Q. Its derivatives are sums of positive terms.
  static Tail upper_near_normal(double z, double q) {
    const auto at_z = exponential_bend<2>(q * z);
    const auto g = exponent<2>(z, q, at_z, stirling_error_of<2>(q));
    const double lift = g.hess[1][1], slope = g.grad[1], twist = g.hess[0][1]; // g_zz, g_z, g_zQ
    const double twist_q = z * z * z * (2 * at_z.slope + q * z * at_z.curvature);
    double end = incomplete_gamma::parabola_end(slope, lift);
    for (int i = 0; i < 4; ++i) { // Newton on a convex function
      const double b = exponential_bend<0>(q * end).value;
      end -= (end * (lift * end * b + slope) - incomplete_gamma::kCut) / (lift * end * slope_ratio(q * end, b) + slope);
    }
    VecD total = {}, by_q = {}, by_q_squared = {}, by_qq = {}, by_z = {};
    constexpr int panels = 4;
    for (int i = 0; i < panels; ++i)
      gauss_legendre<VecD>(end * i / panels, end * (i + 1) / panels, [&](VecD v, VecD weight) {
        const auto b = exponential_bend<2>(q * v);
        const VecD first = lift * v * b.value, second = lift * v * v * b.slope;
        const VecD kq = v * (z * first + second + twist);
        const VecD kqq = v * (z * z * first + 2.0 * z * second + lift * v * v * v * b.curvature + twist_q);
        const VecD density = weight * exp(-v * (first + slope));
        total += density;
        by_q += density * kq;
        by_q_squared += density * kq * kq;
        by_qq += density * kqq;
        by_z += density * v * (1.0 + q * v * b.value);
      });
    const double sum = sum_lanes(total), r = 1 / sum, mean = sum_lanes(by_q) * r;
    const double variance = sum_lanes(by_q_squared) * r - mean * mean;
    return {log(sum) - g.value - kLogSqrt2Pi,
            {-g.grad[0] - mean, -r},
            {{-g.hess[0][0] - sum_lanes(by_qq) * r + variance, -r * mean}, {0, -r * lift * sum_lanes(by_z) * r}}};
  }
};

NEGLOG_FAMILY(generalized_gamma, GeneralizedGamma)

} // namespace NEGLOG_ISA
} // namespace neglog
