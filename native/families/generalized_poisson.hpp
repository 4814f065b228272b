// GeneralizedPoisson(rate t, dispersion l) of Consul and Jain: P(Y = y) = t m^(y - 1) exp(-m) / y!, m = t + l y.
// In the deviance form, which does not cancel: nll = deviance(y, m) + log sqrt(2 pi y) + stirling_error(y) + log(m /
// t).
//
// Tails are sums. Far from the mean they are short; the others are slow, smooth sums that after kTerms terms are
// continued as an integral, by Euler-Maclaurin: sum_{k >= K} f = int_{K - 1/2} f + (f(K) - f(K - 1)) / 24 + O(f''').
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct GeneralizedPoisson {
  static constexpr int P = 2;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] >= 0.0) & (p[1] < 1.0);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf) & whole(y); }

  // y need not be whole from 16 on: the tails need that
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V t = p[0], l = p[1], more = l * y, m = t + more, zero = V{};
    const auto none = y == 0.0;
    const V count = none ? splat<V>(1.0) : y;
    Jet<P, V> out = {};
    const V positive =
        deviance(count, m) + 0.5 * log(count) + kLogSqrt2Pi + stirling_error_whole(count) + log1p(more / t);
    out.value = none ? t : positive;
    const V r = 1.0 / m;
    if constexpr (Order >= 1) {
      out.grad[0] = (m - y - more / t) * r;
      out.grad[1] = none ? zero : y * ((m - y + 1.0) * r);
    }
    if constexpr (Order >= 2) {
      const V k = r * r;
      out.hess[0][0] = (y + more * (m + t) / t / t) * k;
      out.hess[0][1] = none ? zero : y * (y - 1.0) * k;
      out.hess[1][1] = none ? zero : y * (y * (y - 1.0) * k);
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double k = __builtin_floor(y);
    Jet<P, double> above;
    return upper_is_small(k, p, above) ? logarithm(above, p) : complement(tail<-1>(k, p), p);
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double k = __builtin_floor(y);
    Jet<P, double> above;
    return upper_is_small(k, p, above) ? complement(above, p) : logarithm(tail<-1>(k, p), p);
  }

private:
  static constexpr double kLogHalf = -0.69314718055994530942, kTerms = 32768, kPast = 1e-22;

  static bool upper_is_small(double k, const double *p, Jet<P, double> &above) {
    // Y is at least Poisson(rate), stochastically, whose median is above rate - 1
    if (k < p[0] - 1) return false;
    above = tail<1>(k + 1, p);
    return above.value <= kLogHalf;
  }

  // A tail S is given by log S and the derivatives of M = log S - log(rate); for small rates those of log S cancel.
  static Jet<P, double> logarithm(Jet<P, double> m, const double *p) {
    m.grad[0] += 1 / p[0];
    m.hess[0][0] -= 1 / p[0] / p[0];
    return m;
  }
  static Jet<P, double> complement(const Jet<P, double> &m, const double *p) {
    const double odds = 1 / expm1(-m.value), slope[P] = {1 / p[0] + m.grad[0], m.grad[1]};
    const double bend[P][P] = {{m.hess[0][0] + m.grad[0] * (2 / p[0] + m.grad[0]), m.hess[0][1] + slope[0] * m.grad[1]},
                               {0, m.hess[1][1] + m.grad[1] * m.grad[1]}};
    if (odds == 0) return certain<P>();
    Jet<P, double> out = {};
    out.value = log1mexp(m.value);
    for (int i = 0; i < P; ++i) out.grad[i] = -odds * slope[i];
    for (int i = 0; i < P; ++i)
      for (int j = i; j < P; ++j) out.hess[i][j] = -odds * (bend[i][j] + odds * slope[i] * slope[j]);
    return out;
  }

  // sums of weights w, w grad, w hess and w grad grad'
  struct Moments {
    VecD total, grad[P], hess[P][P];
    void add(VecD weight, const Jet<P, VecD> &nll) {
      total += weight;
      for (int i = 0; i < P; ++i) grad[i] += weight * nll.grad[i];
      for (int i = 0; i < P; ++i)
        for (int j = i; j < P; ++j) hess[i][j] += weight * (nll.hess[i][j] - nll.grad[i] * nll.grad[j]);
    }
  };

  // nll + log(rate), whose gradient does not grow like 1 / rate where the rate is small
  template <class V> static Jet<P, V> shape(V y, const V *p) {
    Jet<P, V> out = nll<2>(y, p);
    const V m = p[0] + p[1] * y;
    out.grad[0] = (m - y + 1.0) / m;
    out.hess[0][0] = (y - 1.0) / m / m;
    return out;
  }

  // log of the sum of masses from k on (derivatives: of M), upwards (Side = 1) or downwards to 0 (-1)
  template <int Side> static Jet<P, double> tail(double k, const double *p) {
    const VecD params[P] = {splat<VecD>(p[0]), splat<VecD>(p[1])};
    const Jet<P, double> origin = shape(k, p);
    Moments sum = {};
    // gradients less the first one's: what they share would cancel in their spread
    const auto add = [&](VecD at, VecD weight) {
      auto jet = shape(at, params);
      const VecD mass = weight * exp(origin.value - jet.value);
      for (int i = 0; i < P; ++i) jet.grad[i] -= origin.grad[i];
      sum.add(mass, jet);
      return mass;
    };
    double lane[Lanes<VecD>::n];
    for (int i = 0; i < Lanes<VecD>::n; ++i) lane[i] = Side * i;
    const VecD steps = load<VecD>(lane);
    bool done = false;
    double at = k;
    for (int n = 0; n < kTerms && !done; n += Lanes<VecD>::n, at += Side * Lanes<VecD>::n) {
      const VecD here = at + steps, present = here >= 0.0 ? splat<VecD>(1.0) : VecD{};
      const VecD mass = add(here >= 0.0 ? here : VecD{}, present);
      const double last = mass[Lanes<VecD>::n - 1], ratio = last / mass[Lanes<VecD>::n - 2];
      done = last <= kPast * sum_lanes(sum.total) * (ratio < 1 ? 1 - ratio : 0) ||
             (Side < 0 && here[Lanes<VecD>::n - 1] <= 0);
    }
    if (!done) continued<Side>(at, add, sum);
    return log_sum(origin, sum);
  }

  // the terms from `at` on as an integral, over panels each twice as wide as the one before
  template <int Side, class Add> static void continued(double at, const Add &add, Moments &sum) {
    const auto once = [&](double x, double weight) { // in the first lane only
      VecD w = {};
      w[0] = weight;
      add(splat<VecD>(x), w);
    };
    once(at, 1.0 / 24);
    once(at - Side, -1.0 / 24);
    double from = at - 0.5 * Side, width = 0.25 * kTerms;
    for (int i = 0; i < 200; ++i, width *= 2) {
      const double before = sum_lanes(sum.total);
      const double to = Side > 0 || from > width ? from + Side * width : 16;
      VecD share = {};
      gauss_legendre<VecD>(0, 1, [&](VecD s, VecD weight) {
        share += add(from + s * (to - from), weight * absolute(splat<VecD>(to - from)));
      });
      from = to;
      if (sum_lanes(share) <= kPast * before || from == 16) return;
    }
  }

  static Jet<P, double> log_sum(const Jet<P, double> &origin, const Moments &sum) {
    const double total = sum_lanes(sum.total);
    Jet<P, double> out = {};
    out.value = log(total) - origin.value;
    double mean[P];
    for (int i = 0; i < P; ++i) mean[i] = sum_lanes(sum.grad[i]) / total;
    for (int i = 0; i < P; ++i) out.grad[i] = -mean[i] - origin.grad[i];
    for (int i = 0; i < P; ++i)
      for (int j = i; j < P; ++j) out.hess[i][j] = -sum_lanes(sum.hess[i][j]) / total - mean[i] * mean[j];
    return out;
  }
};

NEGLOG_FAMILY(generalized_poisson, GeneralizedPoisson)

} // namespace NEGLOG_ISA
} // namespace neglog
