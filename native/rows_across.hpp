// Row kernels whose lanes are rows: few classes, or rows that lie side by side (inner > 1).
#pragma once

#include "rows_impl.hpp"
#include "transpose.hpp"

namespace neglog {
namespace NEGLOG_ISA {

constexpr int64_t kAhead = 2048; // bytes: groups this short run ahead of the prefetcher, which stops at every page

// As many rows as lanes. Lanes without a row, and rows that do not take part, have target -1 and weight 0.
template <class R> struct Group {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  Int<V> target;
  double weight[L];
  bool plain; // all weights are 1

  bool takes_part(int lane) const { return plain || weight[lane] != 0.0; }
  V scaled(double by) const { // weights times `by`
    V w = splat<V>(static_cast<R>(by));
    if (!plain)
      for (int i = 0; i < L; ++i) w[i] = static_cast<R>(weight[i] * by);
    return w;
  }
};

// Four sums that become one: the fewer small terms are added to a large one, the less is rounded away.
template <class V> struct Quad {
  V part[4]{};
  V total() const { return (part[0] + part[1]) + (part[2] + part[3]); }
};

// A sum whose terms come in batches of few: what rounding loses is kept beside it (TwoSum).
template <class V> struct Compensated {
  V sum{}, lost{};
  void add(const Quad<V> &q) { add(q.total()); }
  void add(V s) {
    const V t = sum + s, back = t - sum;
    lost += (sum - (t - back)) + (s - back);
    sum = t;
  }
  V total() const { return sum + lost; }
};

// z[class * stride + lane] holds the logits, counted from `base` and to be multiplied by `sharp`, and leaves as the
// gradient, if that is asked for.
template <class R, class S>
inline Vec<R> group_across(const SoftmaxJob &job, const Group<R> &group, R *z, S sharp, int64_t stride, Vec<R> base) {
  using V = Vec<R>;
  using I = decltype(group.target[0] + group.target[0]);
  const V lowest = splat<V>(static_cast<R>(-kInf)), one = splat<V>(R(1));
  V max = lowest, zy{};
  for (int64_t k = 0; k < job.classes; ++k) {
    const V v = load<V>(z + k * stride);
    const auto is_target = group.target == static_cast<I>(k);
    zy = is_target ? v : zy;
    max = max_or_second(is_target ? lowest : v, max);
  }
  const V shift = max == lowest ? V{} : max;
  Compensated<V> sum;
  for (int64_t start = 0; start < job.classes; start += kTerms) {
    const int64_t stop = job.classes - start < kTerms ? job.classes : start + kTerms;
    Quad<V> s;
    for (int64_t first = start; first < stop; first += 4)
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t k = first + i;
        if (k >= stop) break;
        const V e = exp(sharpened(load<V>(z + k * stride) - shift, sharp));
        s.part[i] += group.target == static_cast<I>(k) ? V{} : e;
        store(z + k * stride, e);
      }
    sum.add(s);
  }
  const auto c = contest<V>(job, zy, max, sum.total(), sharpened(one, sharp), base);
  if (job.grad) {
    const V coefficient = group.scaled(gradient_scale(job)) / c.total;
    const V factor = bounded(coefficient * c.lead * c.pull); // exponentials are from the best competitor
    const V at_target = bounded(coefficient * c.at_target);
    const auto idle = group.target < 0;
    for (int64_t k = 0; k < job.classes; ++k) {
      const V e = load<V>(z + k * stride);
      store(z + k * stride, idle ? V{} : (group.target == static_cast<I>(k) ? at_target : e * factor));
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
// z and g hold the rows as they lie in memory, (row, class); a whole group fits two registers.
template <class T, class R = ComputeOf<T>>
inline Vec<R> pair_across(const SoftmaxJob &job, const Group<R> &group, const T *z, R sharp, int rows, T *g) {
  using V = Vec<R>;
  using S = Storage<T>;
  constexpr int L = Group<R>::L;
  const bool whole = rows == L;
  const int low = 2 * rows < L ? 2 * rows : L, high = 2 * rows - low;
  const V a = whole ? S::load(z) : S::load_first(z, low, R(0));
  const V b = whole ? S::load(z + L) : S::load_first(z + L, high, R(0));
  const V z0 = __builtin_shuffle(a, b, evens<Int<V>>(0)), z1 = __builtin_shuffle(a, b, evens<Int<V>>(1));
  const auto first = group.target == 0;
  const V target = first ? z0 : z1, other = first ? z1 : z0;
  const V one = splat<V>(R(1)), sum = other == R(-kInf) ? V{} : one + (other - other); // inf - inf: NaN, as in any row
  const auto c = contest<V>(job, target, other, sum, splat<V>(sharp), V{});
  if (g) {
    const V coefficient = group.scaled(gradient_scale(job)) / c.total;
    const auto idle = group.target < 0;
    const V own = idle ? V{} : bounded(coefficient * c.at_target);
    const V away = idle ? V{} : bounded(coefficient * c.lead * c.pull) * sum;
    const V g0 = first ? own : away, g1 = first ? away : own;
    const V front = __builtin_shuffle(g0, g1, interleaved<Int<V>>(0));
    const V back = __builtin_shuffle(g0, g1, interleaved<Int<V>>(L / 2));
    if (whole) {
      S::store(g, front);
      S::store(g + L, back);
    } else {
      S::store_first(g, low, front);
      S::store_first(g + L, high, back);
    }
  }
  return c.loss;
}

inline void add_wide(VecD v, double *sums) { store(sums, load<VecD>(sums) + v); }
inline void add_wide(VecF v, double *sums) {
  add_wide(widen(low_half(v)), sums);
  add_wide(widen(high_half(v)), sums + Lanes<VecD>::n);
}

// ---- tiles: [class][lane] in the arithmetic type ------------------------------------------------------------------
//
// Rows that lie side by side fill several groups at a time: with many classes each step to the next one goes to another
// page, where a few lines cost little more than one, and lines so far apart compete for the same places in the cache.

constexpr int64_t kTileBytes = int64_t{1} << 18; // what of a wide tile stays in the second-level cache
template <class R> inline int64_t groups_per_tile(int64_t classes) {
  constexpr int most = 256 / kVectorBytes;
  const int64_t fit = kTileBytes / ((classes > 0 ? classes : 1) * kVectorBytes);
  return fit < 1 ? 1 : (fit < most ? fit : most);
}

// Rows beyond the last read 0.
template <class T, class R>
inline void load_tile(const T *z, int64_t step, int64_t stride, int64_t classes, int rows, R *tile, int64_t width) {
  constexpr int L = Lanes<Vec<R>>::n;
  if (step == 1) {
    const int whole = rows / L * L, rest = rows - whole;
    for (int64_t k = 0; k < classes; ++k) {
      for (int i = 0; i < whole; i += L) store(tile + k * width + i, Storage<T>::load(z + k * stride + i));
      if (rest) store(tile + k * width + whole, Storage<T>::load_first(z + k * stride + whole, rest, R(0)));
    }
  } else if (rows == L && stride == 1 && classes >= kSquareClasses) {
    load_rows(z, step, classes, tile, width);
  } else if (rows == L) {
    for (int64_t k = 0; k < classes; ++k)
      for (int i = 0; i < L; ++i) tile[k * width + i] = Storage<T>::get(z + i * step + k * stride);
  } else {
    const int padded = (rows + L - 1) / L * L;
    for (int64_t k = 0; k < classes; ++k)
      for (int i = 0; i < padded; ++i)
        tile[k * width + i] = i < rows ? Storage<T>::get(z + i * step + k * stride) : R(0);
  }
}
template <class T, class V> inline void put_vector(T *to, V v, bool streaming) {
  if constexpr (sizeof(T) == sizeof(Real<V>)) {
    if (streaming) return stream(to, v);
  }
  Storage<T>::store(to, v);
}
template <class T, class R>
inline void store_tile(const R *tile, int64_t width, int64_t step, int64_t stride, int64_t classes, int rows, T *g,
                       bool streaming) {
  constexpr int L = Lanes<Vec<R>>::n;
  if (step != 1 && rows == L && stride == 1 && classes >= kSquareClasses)
    return store_rows(tile, width, step, classes, g);
  if (step != 1) {
    for (int i = 0; i < rows; ++i)
      for (int64_t k = 0; k < classes; ++k) Storage<T>::put(g + i * step + k * stride, tile[k * width + i]);
    return;
  }
  const int whole = rows / L * L, rest = rows - whole;
  for (int64_t k = 0; k < classes; ++k) {
    T *to = g + k * stride;
    const bool aligned = reinterpret_cast<uintptr_t>(to) % kVectorBytes == 0;
    for (int i = 0; i < whole; i += L) put_vector(to + i, load<Vec<R>>(tile + k * width + i), streaming && aligned);
    if (rest) Storage<T>::store_first(to + whole, rest, load<Vec<R>>(tile + k * width + whole));
  }
}

// Fills the group from rows [row, row + rows). The common case, 64-bit targets and nothing else, stays in registers;
// an ignore_index that is no class shows like any other target that is none.
template <class R> inline void fill(const SoftmaxJob &job, int64_t row, int rows, Group<R> &group, SoftmaxSum &result) {
  constexpr int L = Group<R>::L;
  using I = decltype(group.target[0] + group.target[0]);
  if (rows == L && job.index == Index::none && !job.mask && !job.row_weight) {
    group.target = Int<Vec<R>>{} - 1;
    group.plain = true;
    result.divisor += L;
    return;
  }
  const bool ignores_class = job.has_ignore && job.ignore_index >= 0 && job.ignore_index < job.classes;
  if (rows == L && job.index == Index::i64 && !job.mask && !job.row_weight && !ignores_class && !job.weight) {
    const auto *y = static_cast<const int64_t *>(job.target) + row;
    __builtin_prefetch(reinterpret_cast<const char *>(y) + kAhead);
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

// The loss of a group's rows, weighted, into job.loss and the sums.
template <class R>
inline void put_losses(const SoftmaxJob &job, const Group<R> &group, Vec<R> losses, int64_t row, int rows,
                       double *sums) {
  constexpr int L = Group<R>::L;
  if (!group.plain)
    for (int i = 0; i < L; ++i) {
      const double weighted = group.weight[i] == 0.0 ? 0.0 : group.weight[i] * static_cast<double>(losses[i]);
      losses[i] = static_cast<R>(weighted);
      sums[i] += weighted;
    }
  else
    add_wide(losses, sums);
  if (job.loss) store_first(static_cast<R *>(job.loss) + row, rows, losses);
}

// Calls solve(row, rows, z, q, stride, base) for groups of rows whose logits have been read into z[class * stride +
// lane] and, if `transformed`, are and count from `base`; so their probabilities into q if kGiven. What solve leaves in
// z is written as the gradient.
template <class T, bool kGiven, class F>
inline void each_group(const SoftmaxJob &job, bool transformed, int64_t begin, int64_t end, F &&solve) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Group<R>::L;
  const Strides &from = job.logits_at, &given = job.target_at, &to = job.grad_at;
  const bool beside = (job.inner == 1 ? from.outer : from.inner) == 1, streaming = streams<T>(job);
  const bool sloped = has_slope(job);
  const int64_t classes = job.classes, width = beside ? groups_per_tile<R>(classes) * L : L, size = classes * width;
  const Transform<R> transform(job);
  auto *z = static_cast<R *>(__builtin_malloc((1 + kGiven + sloped) * size * sizeof(R)));
  R *q = z + size, *slope = sloped ? q + kGiven * size : nullptr;
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, static_cast<int>(width));
    const T *logits = static_cast<const T *>(job.logits) + run.at(from);
    if (!beside) __builtin_prefetch(reinterpret_cast<const char *>(logits) + kAhead);
    load_tile(logits, run.step(from), from.classes, classes, run.rows, z, width);
    if constexpr (kGiven)
      load_tile(static_cast<const T *>(job.target) + run.at(given), run.step(given), given.classes, classes, run.rows,
                q, width);
    for (int i = 0; i < run.rows; i += L) {
      V base{};
      if (transformed) base = transform.lanes(z + i, classes, width, job.class_mask, slope ? slope + i : nullptr);
      solve(row + i, run.rows - i < L ? run.rows - i : L, z + i, q + i, width, base);
      if (sloped)
        for (int64_t k = i; k < size; k += width) store(z + k, through(load<V>(slope + k), load<V>(z + k)));
    }
    if (job.grad)
      store_tile(z, width, run.step(to), to.classes, classes, run.rows, static_cast<T *>(job.grad) + run.at(to),
                 streaming);
    row += run.rows;
  }
  if (streaming) finish_streaming();
  __builtin_free(z);
}

template <class T, class S>
inline SoftmaxSum softmax_across(const SoftmaxJob &job, S sharp, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  SoftmaxSum result;
  double sums[Group<R>::L] = {};
  Group<R> group{};
  each_group<T, false>(job, bends(job), begin, end,
                       [&](int64_t row, int rows, R *z, const R *, int64_t stride, Vec<R> base) {
                         fill(job, row, rows, group, result);
                         put_losses(job, group, group_across(job, group, z, sharp, stride, base), row, rows, sums);
                       });
  for (const double sum : sums) result.loss += sum;
  return result;
}

// Rows of two classes that lie as pair_across() takes them.
inline bool in_pairs(const SoftmaxJob &job) {
  const auto dense = [&](const Strides &s) { return s.classes == 1 && s.outer == 2; };
  return job.classes == 2 && job.inner == 1 && dense(job.logits_at) && (!job.grad || dense(job.grad_at)) && !bends(job);
}
template <class T> inline SoftmaxSum softmax_pairs(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  constexpr int L = Group<R>::L;
  const auto *logits = static_cast<const T *>(job.logits);
  auto *grad = static_cast<T *>(job.grad);
  const auto sharp = static_cast<R>(1.0 / job.temperature);
  SoftmaxSum result;
  double sums[L] = {};
  Group<R> group{};
  for (int64_t row = begin; row < end; row += L) {
    const int rows = end - row < L ? static_cast<int>(end - row) : L;
    __builtin_prefetch(reinterpret_cast<const char *>(logits + 2 * row) + kAhead);
    fill(job, row, rows, group, result);
    const auto losses = pair_across<T>(job, group, logits + 2 * row, sharp, rows, grad ? grad + 2 * row : nullptr);
    put_losses(job, group, losses, row, rows, sums);
  }
  for (int i = 0; i < L; ++i) result.loss += sums[i];
  return result;
}

// ---- logsumexp, log_softmax, softmax ------------------------------------------------------------------------------

// The largest class is kept apart: log(sum) - max = log1p(sum of the others), which a confident row does not lose.
// z[class * stride + lane] holds the logits and leaves as the result, if `out`.
template <class R> inline Vec<R> normalise_across(R *z, int64_t stride, int64_t classes, bool out, bool probabilities) {
  using V = Vec<R>;
  using I = decltype(Int<V>{}[0] + 0);
  V max = splat<V>(static_cast<R>(-kInf));
  Int<V> lead{};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = load<V>(z + k * stride);
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
      const V v = load<V>(z + k * stride);
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
      const V v = load<V>(z + k * stride) - max;
      store(z + k * stride, probabilities ? exp(v) * factor : v - offset);
    }
  }
  return max + log_total;
}

template <class T> inline void normalise_rows_across(const LseJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  constexpr int L = Lanes<Vec<R>>::n;
  const Strides &from = job.logits_at, &to = job.out_at;
  const bool beside = (job.inner == 1 ? from.outer : from.inner) == 1;
  const int64_t classes = job.classes, width = beside ? groups_per_tile<R>(classes) * L : L;
  auto *tile = static_cast<R *>(__builtin_malloc(classes * width * sizeof(R)));
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, static_cast<int>(width));
    load_tile(static_cast<const T *>(job.logits) + run.at(from), run.step(from), from.classes, classes, run.rows, tile,
              width);
    for (int i = 0; i < run.rows; i += L) {
      const auto lse = normalise_across<R>(tile + i, width, classes, job.out, job.probabilities);
      if (job.lse) store_first(static_cast<R *>(job.lse) + row + i, run.rows - i < L ? run.rows - i : L, lse);
    }
    if (job.out)
      store_tile(tile, width, run.step(to), to.classes, classes, run.rows, static_cast<T *>(job.out) + run.at(to),
                 false);
    row += run.rows;
  }
  __builtin_free(tile);
}

} // namespace NEGLOG_ISA
} // namespace neglog
