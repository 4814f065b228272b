// Row kernels whose lanes are rows: few classes, or rows that lie side by side (inner > 1).
#pragma once

#include "rows_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// As many rows as lanes. Lanes without a row, and rows that do not take part, have target -1 and weight 0.
template <class R> struct Group {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  Int<V> target;
  double weight[L];
  bool plain; // all weights are 1
};

// A sum whose terms come in batches of few: what rounding loses is kept beside it (TwoSum).
template <class V> struct Compensated {
  V sum{}, lost{};
  void add(V s) {
    const V t = sum + s, back = t - sum;
    lost += (sum - (t - back)) + (s - back);
    sum = t;
  }
  V total() const { return sum + lost; }
};

// Z is how the logits are stored, class k at z + k * stride; G how the gradient is. With kKeep the exponentials replace
// the logits, which the gradient then reads: one exponential per element. z is scratch in that case.
template <bool kKeep, class R, class Z, class G>
inline Vec<R> group_across(const Group<R> &group, Z *z, int64_t stride, int64_t classes, double scale, G *g,
                           int64_t g_stride) {
  using V = Vec<R>;
  using I = decltype(group.target[0] + group.target[0]);
  const V lowest = splat<V>(static_cast<R>(-kInf));
  V max = lowest, zy{};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = Storage<Z>::load(z + k * stride);
    const auto is_target = group.target == static_cast<I>(k);
    zy = is_target ? v : zy;
    max = max_or_second(is_target ? lowest : v, max);
  }
  const V shift = max == lowest ? V{} : max;
  Compensated<V> sum;
  for (int64_t start = 0; start < classes; start += 16) { // 16 terms at a time
    const int64_t stop = classes - start < 16 ? classes : start + 16;
    V s{};
    for (int64_t k = start; k < stop; ++k) {
      const V e = exp(Storage<Z>::load(z + k * stride) - shift);
      s += group.target == static_cast<I>(k) ? V{} : e;
      if constexpr (kKeep) Storage<Z>::store(z + k * stride, e);
    }
    sum.add(s);
  }
  const auto c = contest<V>(zy, max, sum.total());
  if (g) {
    V coefficient = splat<V>(static_cast<R>(scale));
    if (!group.plain)
      for (int i = 0; i < group.L; ++i) coefficient[i] = static_cast<R>(group.weight[i] * scale);
    coefficient /= c.total;
    const V factor = coefficient * c.lead,
            at_target = -coefficient * c.others; // exponentials are from the best competitor
    const auto idle = group.target < 0;
    for (int64_t k = 0; k < classes; ++k) {
      V e = Storage<Z>::load(z + k * stride);
      if constexpr (!kKeep) e = exp(e - shift);
      Storage<G>::store(g + k * g_stride, idle ? V{} : (group.target == static_cast<I>(k) ? at_target : e * factor));
    }
  }
  return c.loss;
}

template <class I> inline I evens(int first) { // first, first + 2, ...
  I index;
  for (unsigned i = 0; i < sizeof(I) / sizeof(index[0]); ++i) index[i] = first + 2 * i;
  return index;
}
template <class I> inline I interleaved(int first) { // first, first + L, first + 1, first + 1 + L, ...
  constexpr int L = sizeof(I) / sizeof(I{}[0]);
  I index;
  for (int i = 0; i < L; ++i) index[i] = first + i / 2 + (i % 2) * L;
  return index;
}

// Two classes are a Bernoulli: the one competitor is its own maximum, so no exponential but contest()'s is needed.
// z and g hold the rows as they lie in memory, (row, class); both fit two registers.
template <class R> inline Vec<R> pair_across(const Group<R> &group, const R *z, double scale, R *g) {
  using V = Vec<R>;
  const V a = load<V>(z), b = load<V>(z + group.L);
  const V z0 = __builtin_shuffle(a, b, evens<Int<V>>(0)), z1 = __builtin_shuffle(a, b, evens<Int<V>>(1));
  const auto first = group.target == 0;
  const V target = first ? z0 : z1, other = first ? z1 : z0;
  const V one = splat<V>(R(1));
  const auto c =
      contest<V>(target, other, other == R(-kInf) ? V{} : one + (other - other)); // inf - inf: NaN, as in any row
  if (g) {
    const V away = splat<V>(static_cast<R>(scale)) / c.total * c.others;
    const V g0 = first ? -away : away, g1 = first ? away : -away;
    store(g, __builtin_shuffle(g0, g1, interleaved<Int<V>>(0)));
    store(g + group.L, __builtin_shuffle(g0, g1, interleaved<Int<V>>(group.L / 2)));
  }
  return c.loss;
}

inline void add_wide(VecD v, double *sums) { store(sums, load<VecD>(sums) + v); }
inline void add_wide(VecF v, double *sums) {
  add_wide(widen(low_half(v)), sums);
  add_wide(widen(high_half(v)), sums + Lanes<VecD>::n);
}

// tile[k][lane] = z of that row and class; rows beyond the last read 0
template <class T, class R>
inline void gather_lanes(const T *z, int64_t step, int64_t stride, int64_t classes, int rows, R *tile) {
  constexpr int L = Lanes<Vec<R>>::n;
  if (rows == L) {
    for (int64_t k = 0; k < classes; ++k)
      for (int i = 0; i < L; ++i) tile[k * L + i] = Storage<T>::get(z + i * step + k * stride);
  } else {
    for (int64_t k = 0; k < classes; ++k)
      for (int i = 0; i < L; ++i) tile[k * L + i] = i < rows ? Storage<T>::get(z + i * step + k * stride) : R(0);
  }
}
template <class T, class R>
inline void scatter_lanes(const R *tile, int64_t step, int64_t stride, int64_t classes, int rows, T *g) {
  constexpr int L = Lanes<Vec<R>>::n;
  for (int i = 0; i < rows; ++i)
    for (int64_t k = 0; k < classes; ++k) Storage<T>::put(g + i * step + k * stride, tile[k * L + i]);
}

// Fills the group from rows [row, row + rows). The common case, 64-bit targets and nothing else, stays in registers;
// an ignore_index that is no class shows like any other target that is none.
template <class R> inline void fill(const SoftmaxJob &job, int64_t row, int rows, Group<R> &group, SoftmaxSum &result) {
  constexpr int L = Group<R>::L;
  using I = decltype(group.target[0] + group.target[0]);
  const bool ignores_class = job.has_ignore && job.ignore_index >= 0 && job.ignore_index < job.classes;
  if (rows == L && job.index == Index::i64 && !job.mask && !job.row_weight && !ignores_class && !job.weight) {
    const auto *y = static_cast<const int64_t *>(job.target) + row;
    VecI64 low, wrong;
    __builtin_memcpy(&low, y, sizeof low);
    wrong = (low < 0) | (low >= job.classes);
    if constexpr (sizeof(R) == 4) {
      VecI64 high;
      __builtin_memcpy(&high, y + L / 2, sizeof high);
      wrong |= (high < 0) | (high >= job.classes);
      group.target = join(__builtin_convertvector(low, HalfI32), __builtin_convertvector(high, HalfI32));
    } else {
      group.target = low;
    }
    if (!any(wrong)) {
      group.plain = true;
      result.divisor += L;
      return;
    }
  }
  group.plain = false;
  for (int i = 0; i < L; ++i) {
    const Place place = i < rows ? place_of(job, row + i, result) : Place{-1, 0.0, 0.0};
    group.target[i] = static_cast<I>(place.target);
    group.weight[i] = place.weight;
    result.divisor += place.share;
  }
}

// The rows from `row` on that fill one group: evenly spaced, so inside one outer block if there is an inner axis.
struct Run {
  int rows;
  bool inside; // one outer block
  int64_t outer, inner;
  int64_t at(const Strides &s) const { return outer * s.outer + inner * s.inner; } // first element
  int64_t step(const Strides &s) const { return inside ? s.inner : s.outer; }      // from row to row
};
inline Run run_at(int64_t row, int64_t end, int64_t inner, int lanes) {
  int64_t rows = end - row < lanes ? end - row : lanes;
  if (inner == 1) // no division: it would cost as much as two classes
    return {static_cast<int>(rows), false, row, 0};
  const int64_t within = row % inner;
  if (inner - within < rows) rows = inner - within;
  return {static_cast<int>(rows), true, row / inner, within};
}

constexpr int64_t kAhead = 2048; // bytes

template <class T> inline SoftmaxSum softmax_across(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Group<R>::L;
  const auto *logits = static_cast<const T *>(job.logits);
  auto *grad = static_cast<T *>(job.grad);
  const int64_t classes = job.classes;
  const Strides &from = job.logits_at, &to = job.grad_at;
  auto *tile = static_cast<R *>(__builtin_malloc(classes * L * sizeof(R)));
  SoftmaxSum result;
  double sums[L] = {};
  Group<R> group{};
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    const int rows = run.rows;
    const T *z = logits + run.at(from);
    T *g = grad ? grad + run.at(to) : nullptr;
    const int64_t step = run.step(from), g_step = run.step(to);
    const bool pairs = classes == 2 && sizeof(T) == sizeof(R) && from.classes == 1 && step == 2 &&
                       (!grad || (to.classes == 1 && g_step == 2));
    // rows this short run ahead of the prefetcher, which stops at every page
    __builtin_prefetch(reinterpret_cast<const char *>(z) + kAhead);
    if (job.index == Index::i64) __builtin_prefetch(static_cast<const int64_t *>(job.target) + row + kAhead / 8);
    fill(job, row, rows, group, result);
    V losses;
    if (pairs && group.plain) {
      losses = pair_across<R>(group, reinterpret_cast<const R *>(z), job.scale, reinterpret_cast<R *>(g));
    } else if (rows == L && step == 1 && (!grad || g_step == 1)) {
      losses = group_across<false>(group, z, from.classes, classes, job.scale, g, to.classes);
    } else {
      gather_lanes(z, step, from.classes, classes, rows, tile);
      losses = group_across<true>(group, tile, L, classes, job.scale, grad ? tile : nullptr, L);
      if (grad) scatter_lanes(tile, g_step, to.classes, classes, rows, g);
    }
    R loss[L];
    store(loss, losses);
    if (group.plain) {
      add_wide(losses, sums);
    } else {
      for (int i = 0; i < L; ++i) {
        const double weighted = group.weight[i] == 0.0 ? 0.0 : group.weight[i] * static_cast<double>(loss[i]);
        loss[i] = static_cast<R>(weighted);
        sums[i] += weighted;
      }
    }
    if (job.loss)
      for (int i = 0; i < rows; ++i) static_cast<R *>(job.loss)[row + i] = loss[i];
    row += rows;
  }
  __builtin_free(tile);
  for (int i = 0; i < L; ++i) result.loss += sums[i];
  return result;
}

// ---- logsumexp, log_softmax, softmax
// ------------------------------------------------------------------------------------

// The largest class is kept apart: log(sum) - max = log1p(sum of the others), which a confident row does not lose.
template <class R, class Z, class G>
inline Vec<R> normalise_across(const Z *z, int64_t stride, int64_t classes, G *out, int64_t out_stride,
                               bool probabilities) {
  using V = Vec<R>;
  using S = Storage<Z>;
  using I = decltype(Int<V>{}[0] + 0);
  V max = splat<V>(static_cast<R>(-kInf));
  Int<V> lead{};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = S::load(z + k * stride);
    const auto better = v > max;
    max = better ? v : max;
    lead = better ? Int<V>{} + static_cast<I>(k) : lead;
  }
  const V one = splat<V>(R(1)), shift = max == static_cast<R>(-kInf) ? V{} : max;
  Compensated<V> others;
  for (int64_t start = 0; start < classes; start += 16) {
    const int64_t stop = classes - start < 16 ? classes : start + 16;
    V s{};
    for (int64_t k = start; k < stop; ++k) {
      const V v = S::load(z + k * stride);
      const V e = v == max ? one : exp(v - shift); // inf beside inf is not NaN
      s += (lead == static_cast<I>(k)) & (max > static_cast<R>(-kInf)) ? V{} : e;
    }
    others.add(s);
  }
  const V rest = others.total(), log_total = log1p(rest);
  if (out) {
    const auto undefined = max == static_cast<R>(kInf);
    const V offset = undefined ? splat<V>(static_cast<R>(kNaN)) : log_total;
    const V factor = undefined ? splat<V>(static_cast<R>(kNaN)) : one / (one + rest);
    for (int64_t k = 0; k < classes; ++k) {
      const V v = S::load(z + k * stride) - max;
      Storage<G>::store(out + k * out_stride, probabilities ? exp(v) * factor : v - offset);
    }
  }
  return max + log_total;
}

template <class T> inline void normalise_rows_across(const LseJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  constexpr int L = Lanes<Vec<R>>::n;
  const auto *logits = static_cast<const T *>(job.logits);
  auto *out = static_cast<T *>(job.out);
  const int64_t classes = job.classes;
  const Strides &from = job.logits_at, &to = job.out_at;
  auto *tile = static_cast<R *>(__builtin_malloc((classes + 1) * L * sizeof(R)));
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    const T *z = logits + run.at(from);
    T *g = out ? out + run.at(to) : nullptr;
    Vec<R> lse;
    if (run.rows == L && run.step(from) == 1 && (!out || run.step(to) == 1)) {
      lse = normalise_across<R>(z, from.classes, classes, g, to.classes, job.probabilities);
    } else {
      gather_lanes(z, run.step(from), from.classes, classes, run.rows, tile);
      lse = normalise_across<R>(tile, L, classes, out ? tile : nullptr, L, job.probabilities);
      if (out) scatter_lanes(tile, run.step(to), to.classes, classes, run.rows, g);
    }
    if (job.lse) store_first(static_cast<R *>(job.lse) + row, run.rows, lse);
    row += run.rows;
  }
  __builtin_free(tile);
}

} // namespace NEGLOG_ISA
} // namespace neglog
