// Rows whose target is spread: label smoothing or probabilities.
//
//   a_k = w_k ((1 - eps) q_k + eps / C' [z_k > -inf]),  A = sum a_k,   C' = number of classes that remain (z_k > -inf)
//   loss = sum a_k (lse - z_k) + z_loss A lse^2,         gradient p_k A (1 + 2 z_loss lse) - a_k.
// The top class is kept apart: lse = top + log1p(others), and its gradient is (A - a_k) - A others / total + ...,
// never p - a where both are near 1. A term of a sum over classes is stated once, in add_terms(), and so is what
// follows from the sums, in settle(); lanes are classes in soft_along() and rows in soft_group().
#pragma once

#include "rows_across.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Sums over classes, lane by lane, against one `top` per lane.
template <class V> struct SoftSums {
  Compensated<V> others;              // exp(z - top) of what lies below the top
  Int<V> at_top{};                    // how many do not
  Compensated<V> given, given_cost;   // w q, w q (top - z)
  Int<V> outside{};                   // some q lies outside [0, 1]
  Compensated<V> spread, spread_cost; // w, w (top - z) of the classes that remain
  Int<V> remaining{};                 // how many do
};

template <class V> struct Term {
  V z, q, w;
};

// Adds term(0) ... term(n - 1), n <= kTerms. put(k, exp(z - top), remains) gets what the gradient needs again.
template <bool kGiven, bool kSmooth, class V, class F, class P>
inline void add_terms(SoftSums<V> &sums, V top, int n, F &&term, P &&put) {
  using R = Real<V>;
  const V lowest = splat<V>(static_cast<R>(-kInf)), infinite = splat<V>(static_cast<R>(kInf));
  Quad<V> others, given, given_cost, spread, spread_cost;
  for (int first = 0; first < n; first += 4)
    for (int i = 0; i < 4; ++i) {
      const int k = first + i;
      if (k >= n) break;
      const auto [z, q, w] = term(k);
      const V e = exp(z - top);
      const auto is_top = z == top, remains = z > lowest;
      others.part[i] += is_top ? V{} : e;
      sums.at_top -= is_top; // true is -1
      const V cost = remains ? top - z : infinite;
      if constexpr (kGiven) {
        const V a = w * q;
        sums.outside |= (q < R(0)) | (q > R(1));
        given.part[i] += a;
        given_cost.part[i] += a == R(0) ? V{} : a * cost;
      }
      if constexpr (kSmooth) {
        sums.remaining -= remains;
        spread.part[i] += remains ? w : V{};
        spread_cost.part[i] += remains ? w * cost : V{};
      }
      put(k, e, remains);
    }
  sums.others.add(others);
  if constexpr (kGiven) sums.given.add(given), sums.given_cost.add(given_cost);
  if constexpr (kSmooth) sums.spread.add(spread), sums.spread_cost.add(spread_cost);
}

// What the sums come to; V is double for one row, a vector for as many rows as it has lanes.
template <class V> struct SoftTotals {
  V base;        // what logits are counted from
  V top, others; // others: all classes but one at the top
  V given, given_cost;
  V spread, spread_cost, remaining;
};
template <class V> struct Settled {
  V loss;
  V mass;   // A
  V pull;   // gradient at e = exp(z - top): e * pull - a
  V at_top; // at the top: (mass - a) + at_top
  V keep;   // of q: a = w (keep q + each), `each` for classes that remain only
  V each;
};
template <class V> inline Settled<V> settle(const SoftmaxJob &job, const SoftTotals<V> &t) {
  using R = Real<V>;
  const V keep = splat<V>(static_cast<R>(1.0 - job.smoothing));
  const V each = static_cast<R>(job.smoothing) / (t.remaining > R(0) ? t.remaining : splat<V>(R(1)));
  const V given = keep * t.given, given_cost = given == R(0) ? V{} : keep * t.given_cost;
  const V mass = given + each * t.spread, total = t.others + R(1);
  const auto undefined = absolute(t.top) == static_cast<R>(kInf);
  const V log_total = undefined ? splat<V>(static_cast<R>(kNaN)) : log1p(t.others);
  V loss = given_cost + each * t.spread_cost + mass * log_total, steeper{};
  if (job.z_loss != 0.0) {
    const V lse = (t.base + t.top) + log_total, z_loss = splat<V>(static_cast<R>(job.z_loss));
    loss += z_loss * mass * lse * lse;
    steeper = R(2) * z_loss * mass * lse;
  }
  const V defined = log_total - log_total; // 0, or NaN
  return {loss, mass, (mass + steeper) / total + defined, (steeper - mass * t.others) / total + defined, keep, each};
}

// A compensated sum of infinities is NaN; what it compensates is then beside the point.
template <class V> inline V whole(const Compensated<V> &c) {
  return absolute(c.sum) == static_cast<Real<V>>(kInf) ? c.sum : c.total();
}
template <class V> inline V count(Int<V> n) { return __builtin_convertvector(n, V); }

// ---- lanes are rows -----------------------------------------------------------------------------------------------

// z holds the logits, counted from `base`, z[class * stride + lane], and leaves as the gradient; q the probabilities,
// if there are any.
template <bool kGiven, bool kSmooth, class R>
inline Vec<R> soft_group(const SoftmaxJob &job, const Group<R> &group, R *z, const R *q, int64_t stride, Vec<R> base,
                         Int<Vec<R>> &usable) {
  using V = Vec<R>;
  using I = decltype(group.target[0] + group.target[0]);
  const int64_t classes = job.classes;
  const V one = splat<V>(R(1));
  const auto weight = [&](int64_t k) { return job.weight ? splat<V>(static_cast<R>(job.weight[k])) : one; };
  V top = splat<V>(static_cast<R>(-kInf)), zy{}, wy = one;
  for (int64_t k = 0; k < classes; ++k) {
    const V v = load<V>(z + k * stride);
    top = max_or_second(v, top);
    if constexpr (!kGiven) {
      const auto is_target = group.target == static_cast<I>(k);
      zy = is_target ? v : zy;
      wy = is_target ? weight(k) : wy;
    }
  }
  SoftSums<V> sums;
  for (int64_t start = 0; start < classes; start += kTerms) {
    R *at = z + start * stride;
    const auto term = [&](int k) {
      const V given = kGiven ? load<V>(q + (start + k) * stride) : V{};
      return Term<V>{load<V>(at + k * stride), given, weight(start + k)};
    };
    // a class that is gone is kept as -1: its exponential is 0, as others' may be
    const auto put = [&](int k, V e, Int<V> remains) { store(at + k * stride, kSmooth ? (remains ? e : -one) : e); };
    add_terms<kGiven, kSmooth>(sums, top, static_cast<int>(classes - start < kTerms ? classes - start : kTerms), term,
                               put);
  }
  usable = ~sums.outside;
  SoftTotals<V> totals{base,
                       top,
                       sums.others.total() + (count<V>(sums.at_top) - one),
                       whole(sums.given),
                       whole(sums.given_cost),
                       whole(sums.spread),
                       whole(sums.spread_cost),
                       count<V>(sums.remaining)};
  if constexpr (!kGiven) {
    totals.given = wy;
    totals.given_cost = wy == R(0) ? V{} : wy * (top - zy);
  }
  const auto s = settle(job, totals);
  if (!job.grad) return s.loss;
  const V factor = group.scaled(gradient_scale(job));
  const auto idle = factor == R(0);
  for (int64_t k = 0; k < classes; ++k) {
    const V kept = load<V>(z + k * stride), e = max_or_second(kept, V{});
    V t = kGiven ? load<V>(q + k * stride) * s.keep : (group.target == static_cast<I>(k) ? s.keep : V{});
    if constexpr (kSmooth) t += kept >= R(0) ? s.each : V{};
    const V a = weight(k) * t;
    const V slope = e == one ? (s.mass - a) + s.at_top : e * s.pull - a;
    store(z + k * stride, idle ? V{} : factor * slope);
  }
  return s.loss;
}

template <class T, bool kGiven, bool kSmooth>
inline SoftmaxSum soft_across(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  SoftmaxSum result;
  double sums[Group<R>::L] = {};
  Group<R> group{};
  const auto solve = [&](int64_t row, int rows, R *z, const R *q, int64_t stride, Vec<R> base) {
    Int<Vec<R>> usable{};
    fill(job, row, rows, group, result);
    put_losses(job, group, soft_group<kGiven, kSmooth>(job, group, z, q, stride, base, usable), row, rows, sums);
    if (!kGiven || !any(~usable)) return;
    for (int i = 0; i < rows; ++i)
      if (!usable[i] && group.takes_part(i) && result.bad_row < 0) result.bad_row = row + i;
  };
  each_group<T, kGiven>(job, transforms(job), begin, end, solve);
  for (const double sum : sums) result.loss += sum;
  return result;
}

// ---- lanes are classes --------------------------------------------------------------------------------------------

// The sums of one row, whose top rises from block to block.
template <class R> struct SoftRow {
  using V = Vec<R>;
  R top = static_cast<R>(-kInf);
  SoftSums<V> sums;

  void rise(R higher) {
    if (!(higher > top)) return;
    if (top > static_cast<R>(-kInf)) { // else nothing has been added that counts
      const V factor = splat<V>(static_cast<R>(exp(static_cast<double>(top) - static_cast<double>(higher))));
      const V step = splat<V>(higher - top);
      sums.others.add(count<V>(sums.at_top));
      sums.others.sum *= factor, sums.others.lost *= factor;
      sums.given_cost.add(sums.given.total() * step);
      sums.spread_cost.add(sums.spread.total() * step);
    }
    sums.at_top = Int<V>{};
    top = higher;
  }
};
template <class R> inline double total_of(const Compensated<Vec<R>> &c) {
  double sum = 0;
  for (int i = 0; i < Lanes<Vec<R>>::n; ++i)
    sum += static_cast<double>(c.sum[i]) +
           (absolute(c.sum[i]) == static_cast<R>(kInf) ? 0.0 : static_cast<double>(c.lost[i]));
  return sum;
}
template <class I> inline double total_count(I n) {
  double sum = 0;
  for (unsigned i = 0; i < sizeof n / sizeof n[0]; ++i) sum += static_cast<double>(n[i]);
  return sum;
}

template <class V> inline V narrowed(const double *p, int n) { // the first n, 0 behind them
  constexpr int L = Lanes<V>::n;
  if constexpr (sizeof(Real<V>) == 8) {
    return n == L ? load<V>(p) : load_first<V>(p, n, 0.0);
  } else {
    if (n == L) {
      const HalfF low = narrow(load<VecD>(p)), high = narrow(load<VecD>(p + L / 2));
      return bits<V>(join(bits<HalfI32>(low), bits<HalfI32>(high)));
    }
    float x[L] = {};
    for (int i = 0; i < n; ++i) x[i] = static_cast<float>(p[i]);
    return load<V>(x);
  }
}

// rest(k, n) gives what else the terms of the classes k ... k + n - 1 need: their q and w.
template <bool kGiven, bool kSmooth, class Z, class F>
inline SoftRow<ComputeOf<Z>> sums_of_row(const Z *z, int64_t classes, F &&rest) {
  using R = ComputeOf<Z>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  SoftRow<R> row;
  const auto ignore = [](int, V, Int<V>) {};
  for (int64_t start = 0; start < classes; start += kBlock<R>) {
    const int64_t stop = classes - start < kBlock<R> ? classes : start + kBlock<R>;
    row.rise(max_lanes(max_by_lane(z + start, stop - start)));
    const V top = splat<V>(row.top);
    int64_t k = start;
    while (k + L <= stop) {
      const int n = static_cast<int>((stop - k) / L < kTerms ? (stop - k) / L : kTerms);
      const auto term = [&](int i) {
        const int64_t at = k + i * L;
        read_ahead(z + at, L);
        Term<V> t = rest(at, L);
        t.z = Storage<Z>::load(z + at);
        return t;
      };
      add_terms<kGiven, kSmooth>(row.sums, top, n, term, ignore);
      k += n * L;
    }
    if (k == stop) continue;
    const int n = static_cast<int>(stop - k);
    const auto last = [&](int) {
      Term<V> t = rest(k, n);
      t.z = Storage<Z>::load_first(z + k, n, static_cast<R>(-kInf)); // padding: classes that are gone
      return t;
    };
    add_terms<kGiven, kSmooth>(row.sums, top, 1, last, ignore);
  }
  return row;
}

// The largest logit, and sum exp(z - top) of all classes but one at the top; NaN if a logit is NaN.
template <class R> struct TopOthers {
  R top;
  double others;
};
template <class T> inline TopOthers<ComputeOf<T>> top_and_others(const T *z, int64_t classes) {
  using R = ComputeOf<T>;
  const SoftRow<R> row = sums_of_row<false, false>(z, classes, [](int64_t, int) { return Term<Vec<R>>{}; });
  return {row.top, total_of<R>(row.sums.others) + (total_count(row.sums.at_top) - 1.0)};
}

// One row: z holds the logits, slope (if any) their derivatives in what the gradient is for, q the probabilities (if
// kGiven, else at.target is the class). usable: every q lies in [0, 1], or is NaN and makes the loss NaN.
template <bool kGiven, bool kSmooth, class Z, class Q, class G>
inline double soft_along(const SoftmaxJob &job, const Z *z, const ComputeOf<Z> *slope, double base, const Q *q, G *grad,
                         Place at, bool streaming, bool &usable) {
  using R = ComputeOf<Z>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const int64_t classes = job.classes;
  const auto weight = [&](int64_t k, int n) { return job.weight ? narrowed<V>(job.weight + k, n) : splat<V>(R(1)); };
  const auto given = [&](int64_t k, int n) {
    if constexpr (kGiven) return n == L ? Storage<Q>::load(q + k) : Storage<Q>::load_first(q + k, n, R(0));
    return V{};
  };
  const auto row = sums_of_row<kGiven, kSmooth>(z, classes, [&](int64_t k, int n) {
    if constexpr (kGiven) read_ahead(q + k, n);
    return Term<V>{V{}, given(k, n), weight(k, n)};
  });
  const double zy = kGiven ? 0.0 : static_cast<double>(Storage<Z>::get(z + at.target)); // grad may overwrite z
  const auto &sums = row.sums;
  usable = !any(sums.outside);
  SoftTotals<double> totals{base,
                            row.top,
                            total_of<R>(sums.others) + (total_count(sums.at_top) - 1.0),
                            total_of<R>(sums.given),
                            total_of<R>(sums.given_cost),
                            total_of<R>(sums.spread),
                            total_of<R>(sums.spread_cost),
                            total_count(sums.remaining)};
  if constexpr (!kGiven) {
    totals.given = job.weight ? job.weight[at.target] : 1.0;
    totals.given_cost = totals.given == 0.0 ? 0.0 : totals.given * (static_cast<double>(row.top) - zy);
  }
  const auto s = settle<double>(job, totals);
  if (!grad) return at.weight * s.loss;
  const double factor = at.weight * gradient_scale(job);
  const V top = splat<V>(row.top), scale = splat<V>(static_cast<R>(factor)), lowest = splat<V>(static_cast<R>(-kInf));
  const V mass = splat<V>(static_cast<R>(s.mass)), pull = splat<V>(static_cast<R>(s.pull));
  const V at_top = splat<V>(static_cast<R>(s.at_top));
  const V keep = splat<V>(static_cast<R>(s.keep)), each = splat<V>(static_cast<R>(s.each));
  const auto gradient = [&](V v, int64_t k) {
    const int n = classes - k < L ? static_cast<int>(classes - k) : L;
    V t{};
    if constexpr (kGiven) t = given(k, n) * keep;
    if constexpr (kSmooth) t += v > lowest ? each : V{};
    const V a = weight(k, n) * t;
    return (v == top ? (mass - a) + at_top : exp(v - top) * pull - a) * scale;
  };
  if (slope)
    map_row(z, grad, classes, streaming, [&](V v, int64_t k) { return through(load<V>(slope + k), gradient(v, k)); });
  else
    map_row(z, grad, classes, streaming, gradient);
  if constexpr (!kGiven) { // the target's own mass
    const double a = totals.given * (s.keep + (zy > -kInf ? s.each : 0.0));
    const bool leads = zy == static_cast<double>(row.top);
    const double e = exp(zy - static_cast<double>(row.top));
    const auto g = static_cast<R>(factor * (leads ? (s.mass - a) + s.at_top : e * s.pull - a));
    Storage<G>::put(grad + at.target, slope ? through(slope[at.target], g) : g);
  }
  return at.weight * s.loss;
}

template <class T, bool kGiven, bool kSmooth>
inline SoftmaxSum soft_rows_along(const SoftmaxJob &job, int64_t begin, int64_t end) {
  int64_t bad = -1;
  const auto *given = static_cast<const T *>(job.target);
  const auto solve = [&](const auto *z, const auto *slope, double base, T *g, int64_t row, const Place &place,
                         bool streaming) {
    const T *q = kGiven ? given + row_start(job.target_at, row, job.inner) : nullptr;
    bool usable = true;
    const double loss = soft_along<kGiven, kSmooth>(job, z, slope, base, q, g, place, streaming, usable);
    if (!usable && bad < 0) bad = row;
    return loss;
  };
  SoftmaxSum result = each_row<T>(job, transforms(job), begin, end, solve);
  if (kGiven) result.bad_row = bad; // probabilities have no other
  return result;
}

} // namespace NEGLOG_ISA
} // namespace neglog
