// Losses l(softmax(z)_y) as functions of the margin a = log sum_{k != y} exp(z_k) - z_y, in which
//   p = softmax(z)_y = 1 / (1 + e^a),   -log p = log(1 + e^a),   -log(1 - p) = log(1 + e^-a):
// cross-entropy is log(1 + e^a). Each kind states its value and its slope d loss / d a = -l'(p) p (1 - p), so that
// neither cancels for any |a|; a = -inf where nothing competes, +inf where the target is impossible, NaN stays.
// src/neglog/core/deformations.py has the formulas in p, their sources and what the parameters mean.
#pragma once

#include "math.hpp"
#include "rows.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class V> struct Bent {
  V value, slope;
};

template <class R> constexpr R kLargest = R(sizeof(R) == 4 ? 3.4028234663852886e38 : 1.7976931348623157e308);

// Infinite becomes the largest number, which a class of probability 0 makes 0 again; NaN stays.
template <class V> inline V bounded(V x) {
  constexpr Real<V> most = kLargest<Real<V>>;
  return min_or_second(splat<V>(most), max_or_second(splat<V>(-most), x));
}

// What all kinds are made of: the target against `top`, the largest of its competitors, and `sum`, that of their
// exp(z - top). p and q = 1 - p keep their digits near 0.
template <class V> struct Margin {
  V target, top, sum;
  V nll, p, q;
  Margin(V z, V max, V others_sum)
      : target(z == Real<V>(kInf) ? splat<V>(Real<V>(kNaN)) : z), top(max), sum(others_sum) {
    using R = Real<V>;
    const V one = splat<V>(R(1)), e = exp(-absolute(target - top));
    const auto leads = target >= top;
    const V others = leads ? sum * e : sum, own = leads ? one : e, share = one / (others + own);
    nll = log1p(leads ? others : (sum - one) + e) + (leads ? V{} : top - target);
    p = own * share, q = others * share;
  }
  V a() const { return (top - target) + log(sum); }
  V log_q() const {
    using R = Real<V>;
    const auto tiny = q < R(1e-30); // or 0, while the margin is finite
    const V y = log(q);
    return any<decltype(q < q)>(tiny) ? (tiny ? a() : y) : y;
  }
  V odds() const { return sum * exp(top - target); } // e^a
};

// log(e^x + e^level), and its slope in x; level = -inf gives x.
template <class V> inline Bent<V> log_add(V x, Real<V> level) {
  using R = Real<V>;
  if (level == R(-kInf)) return {x, x == x ? splat<V>(R(1)) : x};
  const V d = x - level, e = exp(-absolute(d)), share = R(1) / (e + R(1));
  return {(d > R(0) ? x : splat<V>(level)) + log1p(e), d > R(0) ? share : e * share};
}

// log(epsilon + e^a): the likelihood ratio (epsilon = 0), cross-entropy (1).  first: log epsilon.
struct Ratio {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    return log_add(m.a(), static_cast<Real<V>>(d.first));
  }
};

// -log(1 - q) - q = q^2/2 + q^3/3 + ...: the series to 2^-54 (float: 2^-25) of it where the difference would cancel.
template <class V> inline V beyond_first_order(V nll, V q) {
  using R = Real<V>;
  V rest{};
  for (int i = sizeof(R) == 4 ? 13 : 27; i >= 2; --i) rest = madd(rest, q, splat<V>(R(1.0 / i)));
  return q < R(0.25) ? q * q * rest : nll - q;
}

// (1 - p)^first (second nll + third (1 - p)): focal, Poly-1, symmetric cross-entropy.
struct Polynomial {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto power = static_cast<R>(d.first), log_part = static_cast<R>(d.second), linear = static_cast<R>(d.third);
    V weight = splat<V>(R(1));
    if (power == R(1) || power == R(2))
      weight = power == R(1) ? m.q : m.q * m.q;
    else if (power != R(0))
      weight = exp(power * m.log_q());
    V body = (log_part == R(0) ? V{} : log_part * m.nll) + linear * m.q, slope = log_part + linear * m.p;
    if (linear < R(0)) { // Poly-1 at -1: what remains at p = 1 is of second order
      body = log_part * beyond_first_order(m.nll, m.q) + (log_part + linear) * m.q;
      slope = (log_part + linear) - linear * m.q;
    }
    return {weight * body, weight * (power * m.p * bounded(body) + m.q * slope)};
  }
};

// (1 - p^first) / first * third, constant where nll >= second (NaN: nowhere): generalised cross-entropy, alpha-loss.
struct Power {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto power = static_cast<R>(d.first), cap = static_cast<R>(d.second), scale = static_cast<R>(d.third);
    const V u = min_or_second(splat<V>(cap), m.nll), x = power == R(0) ? V{} : power * u;
    const V value = absolute(x) < R(1e-30) ? u : -expm1(-x) / power; // below, the limit; x would lose digits
    return {scale * value, m.nll >= cap ? V{} : scale * exp(-x) * m.q};
  }
};

// nll + second log(first + 1 - p): the competing ratio; what is small in log() depends on `first`.
struct Competing {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto alpha = static_cast<R>(d.first), beta = static_cast<R>(d.second);
    const auto alpha_less_1 = static_cast<R>(d.first - 1.0), log_alpha = static_cast<R>(d.third);
    if (beta == R(0)) return {m.nll, m.q};
    const V log_part = alpha < R(0.5) ? log_add(m.log_q(), log_alpha).value : log1p(alpha_less_1 + m.q);
    const V share = alpha == R(0) ? splat<V>(R(1)) : m.q / (alpha + m.q); // q / q at q = 0
    return {m.nll + beta * log_part, m.q + beta * m.p * share};
  }
};

struct Exponential { // 1 / p - 1
  template <class V> static Bent<V> at(const Deformation &, const Margin<V> &m) {
    const V e = m.odds();
    return {e, e};
  }
};

struct Mada { // e^a to the left of 0, its tangent to the right
  template <class V> static Bent<V> at(const Deformation &, const Margin<V> &m) {
    using R = Real<V>;
    const V a = m.a(), e = exp(min_or_second(V{}, a));
    return {a > R(0) ? a + R(1) : e, e};
  }
};

// -log((1 - first) p + second).  third, fourth: log(1 - first), log(second). Near p = 1 the sum is 1 less
// (1 - first) (1 - p) + first - second.
struct Mislabel {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto keep = static_cast<R>(1.0 - d.first), miss = static_cast<R>(d.first - d.second);
    const V near = -log1p(-(keep * m.q + miss));
    if (d.second > 1e-30) { // else the sum could round to 0
      const V kept = keep * m.p, total = kept + static_cast<R>(d.second);
      return {m.p < R(0.5) ? -log(total) : near, m.q * kept / total};
    }
    const Bent<V> total = log_add(static_cast<R>(d.third) - m.nll, static_cast<R>(d.fourth));
    return {m.p < R(0.5) ? -total.value : near, m.q * total.slope};
  }
};

struct Taylor { // sum_{i <= first} (1 - p)^i / i
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    V sum{}, powers{}; // 1 + q + ... + q^(first - 1) = (1 - q^first) / p
    for (double i = d.first; i >= 1.0; --i) {
      sum = (sum + static_cast<R>(1.0 / i)) * m.q;
      powers = madd(powers, m.q, splat<V>(R(1)));
    }
    return {sum, m.q * m.p * powers};
  }
};

template <class V> inline Bent<V> bent(const Deformation &d, const Margin<V> &m) {
  switch (d.kind) {
  case Deformation::ratio: return Ratio::at(d, m);
  case Deformation::polynomial: return Polynomial::at(d, m);
  case Deformation::power: return Power::at(d, m);
  case Deformation::competing: return Competing::at(d, m);
  case Deformation::exponential: return Exponential::at(d, m);
  case Deformation::mada: return Mada::at(d, m);
  case Deformation::mislabel: return Mislabel::at(d, m);
  case Deformation::taylor: return Taylor::at(d, m);
  case Deformation::none:
  case Deformation::tempered:
  case Deformation::mixed: break;
  }
  return {m.nll, m.q};
}

} // namespace NEGLOG_ISA
} // namespace neglog
