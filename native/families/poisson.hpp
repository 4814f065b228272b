// Poisson(rate): nll = rate - y log rate + log y!, in the deviance form of Loader, "Fast and accurate computation of
// binomial probabilities" (2000): log sqrt(2 pi y) + stirling_error(y) + y log(y / rate) + rate - y.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Poisson {
  static constexpr int P = 1;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) { return (p[0] >= 0.0) & (p[0] < kInf); }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V rate = p[0];
    const auto none = y == 0.0;
    const V n = none ? splat<V>(1.0) : y;
    Jet<P, V> out = {};
    out.value = none ? rate : 0.5 * log(n) + kLogSqrt2Pi + stirling_error_whole(n) + deviance(n, rate);
    if constexpr (Order >= 1) out.grad[0] = none ? splat<V>(1.0) : (rate - y) / rate;
    if constexpr (Order >= 2) out.hess[0][0] = none ? V{} : y / rate / rate;
    return out;
  }

  // Whichever tail is the small one is an integral without cancellation; the other is its complement.
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y), rate = p[0];
    if (k + 1 > rate) return upper(k, rate);
    return complement(lower(k, rate), k, rate, 1.0);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y), rate = p[0];
    if (k == 0) return {-rate, {-1.0}, {{0.0}}};
    if (rate == 0) return {0.0, {0.0}, {{k == 1 ? -1.0 : 0.0}}};
    if (k + 1 <= rate) return lower(k, rate);
    return complement(upper(k, rate), k, rate, -1.0);
  }

private:
  using Tail = Jet<P, double>;

  // log P(Y <= k) for 1 <= k, k + 1 <= rate. P(Y <= k) / P(Y = k) = rate * integral of exp(g(v)) over v > 0 with
  // g(v) = k log(1 + v) - rate v: the incomplete gamma integral from its end on. With q the reciprocal of that ratio
  // the slope in the rate is -q and the curvature -q (k / rate - 1 + q); integrating g' exp(g) by parts turns the
  // bracket into k / rate times the mean of v / (1 + v) under exp(g).
  static Tail lower(double k, double rate) {
    const double slope = rate - k;
    const auto g = [=](auto v) { return k * log1pmx(v) - slope * v; };
    double end = parabola_end(slope, k);
    for (int i = 0; i < 3; ++i) // Newton: g is concave, so the first step overshoots and the others come back
      end += (g(end) + kCut) / (slope + k * end / (1 + end));
    const Moments m = integrate(g, end, [](auto v) { return v / (1.0 + v); });
    const double q = 1 / (rate * m.total);
    return {log_mass(k, rate) + log(rate * m.total), {-q}, {{-q * (k / rate) * m.mean}}};
  }

  // log P(Y > k) for k + 1 > rate; the same from the other end, g(v) = k log(1 - v) + rate v on [0, 1].
  static Tail upper(double k, double rate) {
    if (k == 0) {
      const double r = 1 / expm1(rate);
      return {log1mexp(-rate), {r}, {{-r * (1 + r)}}};
    }
    const double slope = k - rate, reach = parabola_end(slope, k), end = reach < 1 ? reach : 1;
    const auto g = [=](auto v) { return k * log1pmx(-v) - slope * v; };
    const Moments m = integrate(g, end, [](auto v) { return v / (1.0 - v); });
    const double r = 1 / (rate * m.total);
    return {log_mass(k, rate) + log(rate * m.total), {r}, {{-r * (k / rate) * m.mean}}};
  }

  // log(1 - exp(small.value)); its slope is side * P(Y = k) over itself, and nothing cancels in the curvature
  static Tail complement(const Tail &small, double k, double rate, double side) {
    const double value = log1mexp(small.value), slope = side * exp(log_mass(k, rate) - value);
    return {value, {slope}, {{slope == 0 ? 0 : slope * ((k - rate) / rate - slope)}}}; // k / rate may overflow
  }

  static double log_mass(double k, double rate) { return -nll<0>(k, &rate).value; }

  static constexpr double kCut = 40; // exp(-40) is below 2^-57
  // where the parabola slope v + k v^2 / 2 reaches the cut
  static double parabola_end(double slope, double k) {
    return 2 * kCut / (slope + __builtin_sqrt(slope * slope + 2 * kCut * k));
  }

  struct Moments {
    double total, mean; // the integral of exp(g), and the mean of `weight` under it
  };
  template <class G, class W> static Moments integrate(const G &g, double end, const W &weight) {
    constexpr int panels = 4; // a factor of exp(-20) in each at most, which 16 nodes integrate to the last bits
    VecD total = {}, first = {};
    for (int i = 0; i < panels; ++i)
      gauss_legendre<VecD>(end * i / panels, end * (i + 1) / panels, [&](VecD v, VecD w) {
        const VecD density = w * exp(g(v));
        total += density;
        first += density * weight(v);
      });
    return {sum_lanes(total), sum_lanes(first) / sum_lanes(total)};
  }
};

NEGLOG_FAMILY(poisson, Poisson)

} // namespace NEGLOG_ISA
} // namespace neglog
