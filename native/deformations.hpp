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

// What all kinds are made of.
template <class V> struct Margin {
  V a;
  V nll, other_nll; // -log p, -log(1 - p)
  V p, q;           // q = 1 - p
  explicit Margin(V margin) : a(margin) {
    using R = Real<V>;
    const auto positive = a > R(0);
    const V e = exp(-absolute(a)), l = log1p(e), share = R(1) / (e + R(1)), rest = e * share;
    nll = positive ? a + l : l;
    other_nll = positive ? l : l - a;
    p = positive ? rest : share;
    q = positive ? share : rest;
  }
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
  template <class V> static Bent<V> at(const Deformation &d, V a) { return log_add(a, static_cast<Real<V>>(d.first)); }
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
  template <class V> static Bent<V> at(const Deformation &d, V a) {
    using R = Real<V>;
    const Margin<V> m(a);
    const auto power = static_cast<R>(d.first), log_part = static_cast<R>(d.second), linear = static_cast<R>(d.third);
    const V weight = power == R(0) ? splat<V>(R(1)) : exp(-power * m.other_nll);
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
  template <class V> static Bent<V> at(const Deformation &d, V a) {
    using R = Real<V>;
    const Margin<V> m(a);
    const auto power = static_cast<R>(d.first), cap = static_cast<R>(d.second), scale = static_cast<R>(d.third);
    const V u = min_or_second(splat<V>(cap), m.nll), x = power == R(0) ? V{} : power * u;
    const V value = absolute(x) < R(1e-30) ? u : -expm1(-x) / power; // below, the limit; x would lose digits
    return {scale * value, m.nll >= cap ? V{} : scale * exp(-x) * m.q};
  }
};

// nll + second log(first + 1 - p): the competing ratio; what is small in log() depends on `first`.
struct Competing {
  template <class V> static Bent<V> at(const Deformation &d, V a) {
    using R = Real<V>;
    const Margin<V> m(a);
    const auto alpha = static_cast<R>(d.first), beta = static_cast<R>(d.second);
    const auto alpha_less_1 = static_cast<R>(d.first - 1.0), log_alpha = static_cast<R>(d.third);
    if (beta == R(0)) return {m.nll, m.q};
    const V log_part = alpha < R(0.5) ? log_add(-m.other_nll, log_alpha).value : log1p(alpha_less_1 + m.q);
    const V share = alpha == R(0) ? splat<V>(R(1)) : m.q / (alpha + m.q); // q / q at q = 0
    return {m.nll + beta * log_part, m.q + beta * m.p * share};
  }
};

struct Exponential { // 1 / p - 1
  template <class V> static Bent<V> at(const Deformation &, V a) {
    const V e = exp(a);
    return {e, e};
  }
};

struct Mada { // e^a to the left of 0, its tangent to the right
  template <class V> static Bent<V> at(const Deformation &, V a) {
    using R = Real<V>;
    const V e = exp(min_or_second(V{}, a));
    return {a > R(0) ? a + R(1) : e, e};
  }
};

// -log((1 - first) p + second).  third, fourth: log(1 - first), log(second). Near p = 1 the sum is 1 less
// (1 - first) (1 - p) + first - second.
struct Mislabel {
  template <class V> static Bent<V> at(const Deformation &d, V a) {
    using R = Real<V>;
    const Margin<V> m(a);
    const auto keep = static_cast<R>(1.0 - d.first), miss = static_cast<R>(d.first - d.second);
    const Bent<V> total = log_add(static_cast<R>(d.third) - m.nll, static_cast<R>(d.fourth));
    return {a > R(0) ? -total.value : -log1p(-(keep * m.q + miss)), m.q * total.slope};
  }
};

struct Taylor { // sum_{i <= first} (1 - p)^i / i
  template <class V> static Bent<V> at(const Deformation &d, V a) {
    using R = Real<V>;
    const Margin<V> m(a);
    V sum{};
    for (double i = d.first; i >= 1.0; --i) sum = (sum + static_cast<R>(1.0 / i)) * m.q;
    return {sum, m.q * -expm1(static_cast<R>(-d.first) * m.other_nll)};
  }
};

template <class V> inline Bent<V> bent(const Deformation &d, V a) {
  switch (d.kind) {
  case Deformation::ratio: return Ratio::at(d, a);
  case Deformation::polynomial: return Polynomial::at(d, a);
  case Deformation::power: return Power::at(d, a);
  case Deformation::competing: return Competing::at(d, a);
  case Deformation::exponential: return Exponential::at(d, a);
  case Deformation::mada: return Mada::at(d, a);
  case Deformation::mislabel: return Mislabel::at(d, a);
  case Deformation::taylor: return Taylor::at(d, a);
  case Deformation::none:
  case Deformation::tempered:
  case Deformation::mixed: break;
  }
  return {a, a};
}

} // namespace NEGLOG_ISA
} // namespace neglog
