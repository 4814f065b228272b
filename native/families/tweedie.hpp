// Tweedie(mean m, dispersion d, power p), 1 < p < 2: the sum of a Poisson number n of gamma variables, 0 if there are
// none. With t = y / m and the dispersion d / m^(2 - p) of t, whose logarithm is r,
//   rate l = exp(-r) / (2 - p),   shape of a jump a = (2 - p) / (p - 1),   x = t exp(-r) / (p - 1),
//   f(y) = sum over n >= 1 of Poisson(n; l) x^(n a) exp(-x) / Gamma(n a) / y,   P(Y = 0) = exp(-l).
// Dunn and Smyth, "Series evaluation of Tweedie exponential dispersion model densities", Statistics and Computing 15
// (2005): the terms are log-concave in n with the largest near l t^(2 - p) and the variance n (p - 1) there. They are
// added from the largest outwards, each in its deviance form. Where n is large they are so smooth that every h-th
// stands for h of them: the trapezoidal rule, whose error is exp(-variance (1 - cos(2 pi (p - 1) / h)) / (p - 1)^2),
// with h at most sd / 2.4 below exp(-46), and the rule takes n = 0 into account as if it were not the atom: exp(-64).
//
// In log m the derivatives are those of an exponential family, in r and p moments of n and c = n (psi(n a) - log x).
// In p they become small differences for large rates, relative errors like 1e-16 times the rate squared.
//
// Tails are sums of the gamma distribution's tails over n, of positive terms.
#pragma once

#include "loops.hpp"
#include "special_incomplete_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Tweedie {
  static constexpr int P = 3;
  static constexpr bool discrete = false, atom = true;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf) & (p[2] > 1.0) & (p[2] < 2.0);
  }
  template <class V> static auto inside(V y, const V *) { return (y >= 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    if constexpr (Lanes<V>::n == 1) {
      return row(y, p);
    } else {
      Jet<P, V> out = {};
      for (int i = 0; i < Lanes<V>::n; ++i) {
        const double lane[P] = {p[0][i], p[1][i], p[2][i]};
        set_lane<Order>(out, i, row(y[i], lane));
      }
      return out;
    }
  }

  static Jet<P, double> log_cdf(double y, const double *p) {
    if (y == 0) return negative(row(0, p));
    if (y < p[0]) {
      const auto below = tail<false>(y, p, true);
      return below.value <= kLogHalf ? below : log_complement(tail<true>(y, p));
    }
    const auto above = tail<true>(y, p);
    return above.value <= kLogHalf ? log_complement(above) : tail<false>(y, p, true);
  }
  static Jet<P, double> log_sf(double y, const double *p) {
    if (y == 0) return log_complement(negative(row(0, p)));
    if (y < p[0]) {
      const auto below = tail<false>(y, p, true);
      return below.value <= kLogHalf ? log_complement(below) : tail<true>(y, p);
    }
    const auto above = tail<true>(y, p);
    return above.value <= kLogHalf ? above : log_complement(tail<false>(y, p, true));
  }
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (lo > 0) return log_between<Tweedie>(lo, hi, p);
    const auto inside = tail<false>(hi, p); // without the atom
    if (inside.value <= kLogHalf) return inside;
    LogMean<P> outside;
    outside.add(0.0, row(0, p));
    outside.add(0.0, negative(tail<true>(hi, p)));
    return log_complement(outside.log_sum());
  }

private:
  static constexpr double kLogHalf = -0.69314718055994530942;
  static constexpr double kCut = 42;    // terms below exp(-42) of the largest are left out
  static constexpr double kMost = 1e15; // jumps; beyond, the answer is NaN
  static constexpr double kFar = 1e4;   // likewise steps in a standard deviation of the Poisson distribution, in tails
  static constexpr int kTerms = 512;    // of the density on each side: fewer than 100, unless their values are rounding

  static Jet<P, double> negative(const Jet<P, double> &f) { return -f; }

  struct Jumps {
    double log_t, precision, rate, shape, x, log_x; // precision is exp(-r)
  };
  static Jumps jumps(double y, const double *p) {
    const double s = 2 - p[2], u = p[2] - 1, precision = exp(s * log(p[0])) / p[1], log_t = log_ratio(y, p[0]);
    return {log_t, precision, precision / s, s / u, y / p[0] * precision / u, log_t + log(precision) - log(u)};
  }
  // every how many terms, around the n-th
  static double stride(double n, double power) {
    const double step = n < 64 ? 1 : __builtin_floor(__builtin_sqrt(n * (power - 1)) / 2.4);
    return step > 1 ? step : 1;
  }
  template <class V> static V poisson_nll(V n, double rate) {
    return deviance(n, splat<V>(rate)) + 0.5 * log(n) + kLogSqrt2Pi + stirling_error_whole(n);
  }

  // sums of the weights exp(log term) over that of the n-th, and times powers of k = its distance from the n-th and
  // c = c - that of the n-th, and of n^2 psi'(n a)
  struct Moments {
    double weight, k, c, kk, kc, cc, bend;
  };
  // the terms n, n + step, ...; returns the last weight
  template <class Add> static void outwards(double n, double step, const Add &add) {
    double lane[Lanes<VecD>::n];
    for (int i = 0; i < Lanes<VecD>::n; ++i) lane[i] = step * i;
    const VecD steps = load<VecD>(lane);
    double before = -kInf; // so far the terms may rise, by rounding of the largest's place
    double at = n;
    for (int i = 0; i < kTerms; i += Lanes<VecD>::n, at += step * Lanes<VecD>::n) {
      const double last = add(at + steps);
      if ((!(last >= -kCut) && !(last > before)) || at + step * Lanes<VecD>::n < 1) return;
      before = last;
    }
  }

  // one copy of the code, so that a row is the same alone and among others
  [[gnu::noinline]] static Jet<P, double> row(double y, const double *p) {
    if (!valid(p)) return constant<P>(kNaN, kNaN); // sums of other numbers may not end
    const double u = p[2] - 1, ru = 1 / u, rs = 1 / (2 - p[2]), t = y / p[0], log_mean = log(p[0]);
    Jumps j = jumps(y > 0 ? y : p[0], p);
    double value = j.rate, n = 0, c = 0, center = 0;
    Moments m = {};
    if (y > 0) {
      n = __builtin_floor(j.rate * exp((2 - p[2]) * j.log_t) + 0.5);
      n = n > 1 ? n : 1;
      if (!(n < kMost && j.rate < kMost)) return constant<P>(kNaN, kNaN);
      const auto peak = gamma_nll<2>(n * j.shape, j.x, j.log_x);
      const double top = peak.value + poisson_nll(n, j.rate), step = stride(n, p[2]);
      center = n * peak.grad[0];
      VecD w0 = {}, w1 = {}, w2 = {}, w3 = {}, w4 = {}, w5 = {}, w6 = {};
      const auto add = [&](VecD at) {
        const auto present = at >= 1.0;
        const VecD count = present ? at : splat<VecD>(1.0);
        const auto g = gamma_nll<2>(count * j.shape, splat<VecD>(j.x), splat<VecD>(j.log_x));
        const VecD log_weight = top - (g.value + poisson_nll(count, j.rate));
        const VecD weight = present ? exp(log_weight) : VecD{}, k = count - n, d = count * g.grad[0] - center;
        w0 += weight, w1 += weight * k, w2 += weight * d;
        w3 += weight * k * k, w4 += weight * k * d, w5 += weight * d * d;
        w6 += weight * count * count * g.hess[0][0];
        return present[Lanes<VecD>::n - 1] ? log_weight[Lanes<VecD>::n - 1] : -kInf;
      };
      outwards(n, step, add);
      outwards(n - step, -step, add);
      m = {sum_lanes(w0), sum_lanes(w1), sum_lanes(w2), sum_lanes(w3), sum_lanes(w4), sum_lanes(w5), sum_lanes(w6)};
      const double r = 1 / m.weight;
      value = top + log(y) - log(step * m.weight);
      m.k *= r, m.c *= r, m.kk = m.kk * r - m.k * m.k, m.kc = m.kc * r - m.k * m.c, m.cc = m.cc * r - m.c * m.c;
      m.bend *= r;
      n += m.k, c = center + m.c;
    } else {
      j.x = 0;
    }
    // in r and p, at a given t
    const double ruu = ru * ru, score_r = n * ru - j.rate - j.x;
    const double score_p = -(n - j.rate) * rs + (n * j.shape - j.x) * ru - c * ruu;
    const double tilt = rs - j.shape * ru; // of the terms' scores in p: tilt n + c / (p - 1)^2
    const double rr = j.rate + j.x - m.kk * ruu;
    const double rp = -j.rate * rs + j.x * ru - n * ruu + (tilt * m.kk + m.kc * ruu) * ru;
    const double pp = (2 * j.rate - n) * rs * rs + (2 * j.x - n * j.shape) * ruu - 2 * (n - c) * ruu * ru +
                      m.bend * ruu * ruu - (tilt * tilt * m.kk + 2 * tilt * ruu * m.kc + ruu * ruu * m.cc);
    const double score_m = j.precision * (1 - t), rm = 1 / p[0], rd = 1 / p[1]; // in log m at given d
    Jet<P, double> out = {};
    out.value = value;
    out.grad[0] = score_m * rm;
    out.grad[1] = score_r * rd;
    out.grad[2] = score_p + log_mean * score_r;
    out.hess[0][0] = j.precision * (p[2] * t - u) * rm * rm;
    out.hess[0][1] = -score_m * rm * rd;
    out.hess[0][2] = -log_mean * score_m * rm;
    out.hess[1][1] = (rr - score_r) * rd * rd;
    out.hess[1][2] = (rp + log_mean * rr) * rd;
    out.hess[2][2] = pp + log_mean * (2 * rp + log_mean * rr);
    return out;
  }

  // log of the sum over n >= 1 of Poisson(n; rate) P(n a, x), or Q for the upper tail; with_atom: n = 0 too
  template <bool Upper> static Jet<P, double> tail(double y, const double *p, bool with_atom = false) {
    const Jumps j = jumps(y, p);
    if (!(j.rate < kMost)) return constant<P>(kNaN, kNaN);
    const double peak = j.rate * exp((2 - p[2]) * j.log_t); // of the density's terms, near that of the tail's
    if (!(peak < kMost && j.x < kInf)) return Upper ? impossible<P>() : certain<P>();
    const auto log_mean = log(variable<P>(0, p[0])), log_d = log(variable<P>(1, p[1]));
    const auto power = variable<P>(2, p[2]), s = 2.0 - power, u = power - 1.0;
    const auto log_precision = s * log_mean - log_d, log_rate = log_precision - log(s), shape = s / u;
    auto log_x = log_precision - log_mean - log(u);
    log_x.value = j.log_x;
    const auto gamma_tail = [&](double a) {
      if (a < incomplete_gamma::kLarge)
        return Upper ? log_gamma_q_in_log(a, j.x, j.log_x) : log_gamma_p_in_log(a, j.x, j.log_x);
      auto f = Upper ? log_gamma_q(a, j.x, j.log_x) : log_gamma_p(a, j.x, j.log_x);
      f.hess[1][1] += f.grad[1];
      return f;
    };
    // near the largest term: of the density where this is the small tail, else of the Poisson distribution
    double first = Upper == (peak > j.rate) ? peak : j.rate;
    first = first > 1 ? __builtin_floor(first + 0.5) : 1;
    const double step = stride(first, p[2]), log_step = log(step);
    if (!(first < kFar * kFar * step * step)) return constant<P>(kNaN, kNaN); // power - 1 below 1e-7
    LogMean<P> sum;
    double most = -kInf;
    // the terms n, n + by, ..., which are log-concave: from where they fall they do not rise again
    const auto outwards_from = [&](double n, double by) {
      for (double before = -kInf; n >= 1; n += by) {
        const Jet<P, double> u_of[2] = {shape * n, log_x};
        const auto count = chain(Derivatives<double>{poisson_nll(n, j.rate), j.rate - n, j.rate}, log_rate);
        const auto term = count - chain(gamma_tail(n * j.shape), u_of);
        sum.add(log_step, term);
        const double now = -term.value;
        most = now > most ? now : most;
        if (!(now > before) && !(now > most - kCut)) return;
        before = now;
      }
    };
    outwards_from(first, step);
    outwards_from(first - step, -step);
    if (with_atom) sum.add(0.0, row(0, p));
    return sum.log_sum();
  }
};

NEGLOG_FAMILY(tweedie, Tweedie)

} // namespace NEGLOG_ISA
} // namespace neglog
