// BetaBinomial(n, a, b): nll = -log C(n, y) - log B(y + a, n - y + b) + log B(a, b), a binomial count whose probability
// is beta distributed.
//
// With s = a + b, k successes and m = n - k failures, Stirling's formula leaves four deviances from the pooled share
// (a + k) / (s + n), all of whose distances are e = (b k - a m) / (s + n): no term cancels, neither for large shapes,
// where it is binomial, nor for large n.
#pragma once

#include "special_incomplete_beta.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct BetaBinomial {
  static constexpr int P = 3;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] >= 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf) & (p[2] > 0.0) & (p[2] < kInf);
  }
  template <class V> static auto inside(V y, const V *p) { return (y >= 0.0) & (y <= p[0]) & whole(y); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return apart<Order, 0>(y, p); }

  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y);
    return k >= last(p[0]) ? certain<P>() : tails(k, p).cdf;
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y);
    return k >= last(p[0]) ? impossible<P>() : tails(k, p).sf;
  }

private:
  // n is whole; where a derivative in it is tried out, the masses that are summed stay the same
  static double last(double n) { return __builtin_rint(n); }

  struct Sum {
    Jet<P, double> log;
    double bend; // second derivative of the sum itself in n, relative: that of a large b is nearly linear in n
  };
  struct Tails {
    Jet<P, double> cdf, sf;
  };
  // The smaller one is summed.
  static Tails tails(double k, const double *p) {
    constexpr double log2 = 0.69314718055994530942;
    bool below = k <= p[0] * (p[1] / (p[1] + p[2]));
    auto small = side(k, p, below);
    if (small.log.value > -log2) small = side(k, p, below = !below);
    const int factor = below ? 2 : 1; // of all masses: b where there is a failure, a where there is a success
    const auto f = with_factor(small.log, factor, p[factor]);
    auto rest = log_complement_with_factor(small.log, factor, p[factor]);
    const double odds = 1 / expm1(-f.value), slope = odds * f.grad[0];
    rest.hess[0][0] = -odds * small.bend - slope * slope;
    return below ? Tails{f, rest} : Tails{rest, f};
  }
  static Sum side(double k, const double *p, bool below) {
    return below ? sum<2>(k, -1, k + 1, p) : sum<1>(k + 1, 1, last(p[0]) - k, p);
  }

  // nll, or with the derivatives of nll + log x where the factor x of the mass is a (Factor 1; y > 0) or b (Factor 2;
  // y < n): those that stay finite as x goes to 0
  template <int Order, int Factor, class V> static Jet<P, V> apart(V y, const V *p) {
    const V n = p[0], a = p[1], b = p[2], k = y, m = n - y, s = a + b;
    const V share = (a + k) / (s + n), other = (b + m) / (s + n), excess = (b * k - a * m) / (s + n);
    const auto left = part(a, k, excess, share, s, n), right = part(b, m, -excess, other, s, n),
               whole = part(s, n, V{}, splat<V>(1.0), s, n);
    Jet<P, V> out = {};
    out.value = (left.deviance + right.deviance) + (left.rest + right.rest - whole.rest);
    // where there is one outcome only, two ratios of gamma functions are left, which may be nearly one
    const auto none = k == 0.0, past = (k != 0.0) & (m == 0.0), one = none | past;
    Derivatives<V> only = {};
    if (any<decltype(y < y)>(one)) {
      const V x = none ? b : a, rest = none ? a : b, r = 1.0 / s;
      only = Factor ? log_gamma_cross<Order>(x + 1.0, n - 1.0, rest) : log_gamma_cross<Order>(x, n, rest);
      if constexpr (Factor) only.value += log1p(rest / x), only.slope += r, only.curvature -= r * r;
      out.value = one ? only.value : out.value;
    }
    if constexpr (Order >= 1) {
      const auto of_a = Factor == 1 ? polygamma_step<Order>(a + 1.0, k - 1.0) : polygamma_step<Order>(a, k),
                 of_b = Factor == 2 ? polygamma_step<Order>(b + 1.0, m - 1.0) : polygamma_step<Order>(b, m),
                 of_s = polygamma_step<Order>(s, n), of_m = polygamma_step<Order>(m + 1.0, k),
                 of_n = polygamma_step<Order>(b + m, a + k); // to s + n
      out.grad[0] = of_n.digamma - of_m.digamma;
      out.grad[1] = past ? only.slope : of_s.digamma - of_a.digamma;
      out.grad[2] = none ? only.slope : of_s.digamma - of_b.digamma;
      if constexpr (Order >= 2) {
        const V last = log_gamma<2>(s + n).curvature;
        out.hess[0][0] = of_n.trigamma - of_m.trigamma;
        out.hess[0][1] = last;
        out.hess[0][2] = of_n.trigamma;
        out.hess[1][1] = past ? only.curvature : of_s.trigamma - of_a.trigamma;
        out.hess[1][2] = of_s.trigamma;
        out.hess[2][2] = none ? only.curvature : of_s.trigamma - of_b.trigamma;
      }
    }
    return out;
  }

  // What a shape x and its count k contribute: the deviances of both from the pooled share, and the rest of Stirling's
  // formula for log k! + log Gamma(x) - log Gamma(x + k)
  template <class V> struct Part {
    V deviance, rest;
  };
  template <class V> static Part<V> part(V x, V k, V excess, V share, V s, V n) {
    const auto none = absolute(k) < 0.5;
    const V count = none ? splat<V>(1.0) : k, total = x + count, mean = n * share;
    const V log_x = log(x), log_k = log(count), log_total = log(total), of_x = log_x - log(s * share);
    const V of_k = none ? mean - k : deviance_from(count, -excess, log_k - log(none ? splat<V>(1.0) : mean));
    const V rest = 0.5 * (log_total + log_k - log_x) + kLogSqrt2Pi +
                   (stirling_error<0>(x).value + stirling_error<0>(count).value - stirling_error<0>(total).value);
    Part<V> out = {deviance_from(x, excess, of_x) + of_k, none ? V{} : rest};
    const auto between = none & (k != 0.0); // no count, but where n is moved between whole numbers
    if (any<decltype(k < k)>(between)) {
      const V grown = x + k;
      const V stirling = log_gamma<0>(k + 1.0).value + log_gamma<0>(x).value - log_gamma<0>(grown).value +
                         grown * log(grown) - x * log_x - k * log(mean);
      out.rest = between ? stirling : out.rest;
    }
    return out;
  }

  // log of the sum of `count` masses from y = from on in steps of +-1, until they no longer count; derivatives without
  // that of the factor
  template <int Factor> static Sum sum(double from, double step, double count, const double *p) {
    constexpr int lanes = Lanes<VecD>::n;
    VecD parameters[P], lane;
    for (int i = 0; i < P; ++i) parameters[i] = splat<VecD>(p[i]);
    for (int i = 0; i < lanes; ++i) lane[i] = i;
    const Jet<P, double> first = apart<2, Factor>(from, p);
    VecD total = {}, g[P] = {}, gg[P][P] = {}, bend = {};
    const auto of_n = polygamma_step<2>(p[2] + p[0] - 1, p[1] + 1); // of the mass at 1, which is n exp(-this)
    const double single = of_n.digamma * (of_n.digamma - 2 / p[0]) - of_n.trigamma;
    double before = 0;
    for (double at = 0; at < count; at += lanes) {
      const VecD j = lane + at;
      const auto inside = j < count;
      const VecD y = from + step * (inside ? j : VecD{});
      const auto f = apart<2, Factor>(y, parameters);
      const VecD mass = inside ? exp(first.value - f.value) : VecD{};
      total += mass;
      bend += mass * (y == 1.0 ? splat<VecD>(single) : f.grad[0] * f.grad[0] - f.hess[0][0]);
      for (int i = 0; i < P; ++i) {
        const VecD d = f.grad[i] - first.grad[i];
        g[i] += mass * d;
        for (int l = i; l < P; ++l) gg[i][l] += mass * (d * (f.grad[l] - first.grad[l]) - f.hess[i][l]);
      }
      // from here on masses fall faster than geometrically, or as slowly as one over their number
      const double here = max_lanes(mass), all = sum_lanes(total);
      if (here < before && here * here < 1e-19 * all * (before - here)) break;
      before = here;
    }
    const double all = sum_lanes(total);
    Jet<P, double> out = {};
    out.value = log(all) - first.value;
    double mean[P];
    for (int i = 0; i < P; ++i) mean[i] = sum_lanes(g[i]) / all, out.grad[i] = -first.grad[i] - mean[i];
    for (int i = 0; i < P; ++i)
      for (int l = i; l < P; ++l) out.hess[i][l] = sum_lanes(gg[i][l]) / all - mean[i] * mean[l];
    return {out, sum_lanes(bend) / all};
  }
};

NEGLOG_FAMILY(beta_binomial, BetaBinomial)

} // namespace NEGLOG_ISA
} // namespace neglog
