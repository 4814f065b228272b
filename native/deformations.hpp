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

// What all kinds are made of, each computed by those that ask for it: the target's logit against `top`, the largest of
// its competitors, and `sum`, that of their exp(sharp (z - top)). p and q = 1 - p keep their digits near 0.
template <class V> struct Margin {
  V ahead, sum, e;
  decltype(V{} < V{}) leads;
  V others, own; // the competitors' sum and the target's exponential, from the larger of target and top
  Margin(V target, V top, V others_sum, V sharp)
      : ahead(target == Real<V>(kInf) ? splat<V>(Real<V>(kNaN)) : (target - top) * sharp), sum(others_sum),
        e(exp(-absolute(ahead))), leads(target >= top), others(leads ? sum * e : sum),
        own(leads ? splat<V>(Real<V>(1)) : e) {}
  V nll() const {
    using R = Real<V>;
    return log1p(leads ? others : (sum - R(1)) + e) - (leads ? V{} : ahead);
  }
  V p() const { return own * (Real<V>(1) / (others + own)); }
  V q() const { return others * (Real<V>(1) / (others + own)); }
  V a() const { return log(sum) - ahead; }
  V log_q(V q) const {
    using R = Real<V>;
    const auto tiny = q < R(1e-30); // or 0, while the margin is finite
    const V y = log(q);
    return any<decltype(q < q)>(tiny) ? (tiny ? a() : y) : y;
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
    const V p = m.p(), q = m.q(), nll = m.nll();
    V weight = splat<V>(R(1));
    if (power == R(1) || power == R(2))
      weight = power == R(1) ? q : q * q;
    else if (power != R(0))
      weight = exp(power * m.log_q(q));
    V body = (log_part == R(0) ? V{} : log_part * nll) + linear * q, slope = log_part + linear * p;
    if (linear < R(0)) { // Poly-1 at -1: what remains at p = 1 is of second order
      const auto rest = static_cast<R>(d.second + d.third);
      body = log_part * beyond_first_order(nll, q) + rest * q;
      slope = rest - linear * q;
    }
    return {weight * body, weight * (power * p * bounded(body) + q * slope)};
  }
};

// (1 - p^first) / first * third, constant where nll >= second (NaN: nowhere): generalised cross-entropy, alpha-loss.
struct Power {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto power = static_cast<R>(d.first), cap = static_cast<R>(d.second), scale = static_cast<R>(d.third);
    const auto range = static_cast<R>(d.third / d.first); // of the value
    const V nll = m.nll(), u = min_or_second(splat<V>(cap), nll), x = power == R(0) ? V{} : -power * u;
    const auto [kept, less_1] = exp_and_expm1(x);
    const V value = absolute(x) < R(1e-30) ? scale * u : -range * less_1; // below, the limit; x would lose digits
    return {value, nll >= cap ? V{} : scale * m.q() * kept};
  }
};

// nll + second log(first + 1 - p): the competing ratio; what is small in log() depends on `first`.
struct Competing {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto alpha = static_cast<R>(d.first), beta = static_cast<R>(d.second);
    const auto alpha_less_1 = static_cast<R>(d.first - 1.0), log_alpha = static_cast<R>(d.third);
    const V nll = m.nll(), q = m.q();
    if (beta == R(0)) return {nll, q};
    const V log_part = alpha < R(0.5) ? log_add(m.log_q(q), log_alpha).value : log1p(alpha_less_1 + q);
    const V share = alpha == R(0) ? splat<V>(R(1)) : q / (alpha + q); // q / q at q = 0
    return {nll + beta * log_part, q + beta * m.p() * share};
  }
};

struct Exponential { // 1 / p - 1
  template <class V> static Bent<V> at(const Deformation &, const Margin<V> &m) {
    const V odds = m.sum * exp(-m.ahead); // e^a
    return {odds, odds};
  }
};

struct Mada { // e^a to the left of 0, its tangent to the right
  template <class V> static Bent<V> at(const Deformation &, const Margin<V> &m) {
    using R = Real<V>;
    const auto left = m.leads & (m.others <= R(1));
    const V a = m.a();
    return {left ? m.others : a + R(1), left ? m.others : (a == a ? splat<V>(R(1)) : a)};
  }
};

// -log((1 - first) p + second).  third, fourth: log(1 - first), log(second). Near p = 1 the sum is 1 less
// (1 - first) (1 - p) + first - second.
struct Mislabel {
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const auto keep = static_cast<R>(1.0 - d.first), miss = static_cast<R>(d.first - d.second);
    const V p = m.p(), q = m.q(), near = -log1p(-(keep * q + miss));
    if (d.second > 1e-30) { // else the sum could round to 0
      const V kept = keep * p, total = kept + static_cast<R>(d.second);
      return {p < R(0.5) ? -log(total) : near, q * kept / total};
    }
    const Bent<V> total = log_add(static_cast<R>(d.third) - m.nll(), static_cast<R>(d.fourth));
    return {p < R(0.5) ? -total.value : near, q * total.slope};
  }
};

struct Taylor { // sum_{i <= first} (1 - p)^i / i
  template <class V> static Bent<V> at(const Deformation &d, const Margin<V> &m) {
    using R = Real<V>;
    const V p = m.p(), q = m.q();
    V sum{}, powers{}; // 1 + q + ... + q^(first - 1) = (1 - q^first) / p
    for (double i = d.first; i >= 1.0; --i) {
      sum = (sum + static_cast<R>(1.0 / i)) * q;
      powers = madd(powers, q, splat<V>(R(1)));
    }
    return {sum, q * p * powers};
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
  return {m.nll(), m.q()};
}

} // namespace NEGLOG_ISA
} // namespace neglog
