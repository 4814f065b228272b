// Softmax-type rows: one pass over memory for the value, one more over cache for the gradient.
//
// Two shapes of the same computation:
//   along:  one row at a time, lanes run along the classes (many classes, contiguous).
//   across: as many rows as lanes at a time (few classes, or rows that lie side by side with inner > 1).
// Both keep the target apart from its competitors: with M and S = sum exp(z_k - M) over k != y,
//   loss = log1p(S exp(M - z_y))  if the target leads,   (M - z_y) + log(S + exp(z_y - M))  otherwise,
// so a confident correct row keeps its loss (margin 40: 4.2e-18), and its gradient is minus the sum of the others.
#pragma once

#include "deformations.hpp"
#include "rows_transform.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Terms that a lane adds up, four by four, before the sum goes to something wider.
constexpr int64_t kTerms = 16;
// Elements whose max, then sum, is taken while they are in L1.
template <class R> constexpr int64_t kBlock = 4 * kTerms * Lanes<Vec<R>>::n;
constexpr int64_t kFewClasses = 512;
constexpr int64_t kStreamBytes = int64_t{16} << 20; // outputs beyond this are not worth keeping in cache

// ---- a stretch of contiguous elements -----------------------------------------------------------------------------

// Calls body(vector, first index) over n elements; what lies beyond the end reads as `pad`.
template <class T, class F> inline void each_vector(const T *p, int64_t n, ComputeOf<T> pad, F &&body) {
  using S = Storage<T>;
  constexpr int L = Lanes<Vec<ComputeOf<T>>>::n;
  int64_t i = 0;
  for (; i + L <= n; i += L) body(S::load(p + i), i);
  if (i < n) body(S::load_first(p + i, static_cast<int>(n - i), pad), i);
}

// A row is about as long as a page, where the hardware stops to read ahead: lines this far on are asked for while the
// exponentials of these are computed.
constexpr int64_t kRowAhead = 4096; // bytes
template <class T> inline void read_ahead(const T *p, int64_t elements) {
  const auto *bytes = reinterpret_cast<const char *>(p) + kRowAhead;
  for (int64_t i = 0; i < elements * static_cast<int64_t>(sizeof(T)); i += 64) __builtin_prefetch(bytes + i);
}

template <class T> inline Vec<ComputeOf<T>> max_by_lane(const T *p, int64_t n) {
  using V = Vec<ComputeOf<T>>;
  using S = Storage<T>;
  constexpr int L = Lanes<V>::n;
  V m0 = splat<V>(static_cast<ComputeOf<T>>(-kInf)), m1 = m0, m2 = m0, m3 = m0;
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    m0 = max_or_second(S::load(p + i), m0);
    m1 = max_or_second(S::load(p + i + L), m1);
    m2 = max_or_second(S::load(p + i + 2 * L), m2);
    m3 = max_or_second(S::load(p + i + 3 * L), m3);
  }
  each_vector(p + i, n - i, static_cast<ComputeOf<T>>(-kInf), [&](V v, int64_t) { m0 = max_or_second(v, m0); });
  return max_or_second(max_or_second(m0, m1), max_or_second(m2, m3));
}

inline VecD wide(VecF v) { return widen(low_half(v)) + widen(high_half(v)); }
inline VecD wide(VecD v) { return v; }

// sum exp(sharp (z - shift)). A float lane adds three times: behind one large term, many small ones would be rounded
// many times.
template <class T, class S> inline VecD sum_exp_by_lane(const T *p, int64_t n, ComputeOf<T> shift, S sharp) {
  using V = Vec<ComputeOf<T>>;
  constexpr int L = Lanes<V>::n;
  const V c = splat<V>(shift);
  const auto term = [&](V z) { return exp(sharpened(z - c, sharp)); };
  const auto at = [&](int64_t k) { return term(Storage<T>::load(p + k)); };
  VecD sum{};
  int64_t i = 0;
  for (; i + 8 * L <= n; i += 8 * L) {
    read_ahead(p + i, 8 * L);
    const V s0 = at(i) + at(i + L);
    const V s1 = at(i + 2 * L) + at(i + 3 * L);
    const V s2 = at(i + 4 * L) + at(i + 5 * L);
    const V s3 = at(i + 6 * L) + at(i + 7 * L);
    sum += wide((s0 + s1) + (s2 + s3));
  }
  each_vector(p + i, n - i, static_cast<ComputeOf<T>>(-kInf), [&](V v, int64_t) { sum += wide(term(v)); });
  return sum;
}

// Online max and sum of exponentials: the row is read from memory once.
template <class R> struct MaxSum {
  R max = static_cast<R>(-kInf);
  double sum = 0; // sum of exp(sharp (z - max)); a max of -inf counts from 0, so that -inf everywhere gives sum 0
  R shift() const { return max == static_cast<R>(-kInf) ? R(0) : max; }
  template <class S> void rise(R top, S sharp) {
    if (!(top > max)) return;
    sum *= exp(sharpened(static_cast<double>(max) - static_cast<double>(top), sharp));
    max = top;
  }
};

// All classes but `skip` (-1: all).
template <class T, class S>
inline MaxSum<ComputeOf<T>> max_sum_without(const T *z, int64_t classes, int64_t skip, S sharp) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  MaxSum<R> s;
  for (int64_t k = 0; k < classes; k += kBlock<R>) {
    const int64_t n = classes - k < kBlock<R> ? classes - k : kBlock<R>;
    if (skip < k || skip >= k + n) {
      s.rise(max_lanes(max_by_lane(z + k, n)), sharp);
      s.sum += sum_lanes(sum_exp_by_lane(z + k, n, s.shift(), sharp));
      continue;
    }
    // around the vector that holds it
    const int64_t at = (skip - k) / L * L, after = at + L < n ? at + L : n;
    V hole = Storage<T>::load_first(z + k + at, static_cast<int>(after - at), static_cast<R>(-kInf));
    hole[skip - k - at] = static_cast<R>(-kInf);
    const V top = max_or_second(hole, max_or_second(max_by_lane(z + k, at), max_by_lane(z + k + after, n - after)));
    s.rise(max_lanes(top), sharp);
    const R c = s.shift();
    const VecD sum = sum_exp_by_lane(z + k, at, c, sharp) + sum_exp_by_lane(z + k + after, n - after, c, sharp);
    s.sum += sum_lanes(sum + wide(exp(sharpened(hole - c, sharp))));
  }
  return s;
}

#if defined(__AVX512F__)
inline void stream(float *p, VecF v) { _mm512_stream_ps(p, v); }
inline void stream(double *p, VecD v) { _mm512_stream_pd(p, v); }
#elif defined(__AVX2__)
inline void stream(float *p, VecF v) { _mm256_stream_ps(p, v); }
inline void stream(double *p, VecD v) { _mm256_stream_pd(p, v); }
#elif defined(__SSE2__)
inline void stream(float *p, VecF v) { _mm_stream_ps(p, v); }
inline void stream(double *p, VecD v) { _mm_stream_pd(p, v); }
#else
template <class R, class V> inline void stream(R *p, V v) { store(p, v); }
#endif

// out[k] = f(z[k], k). Streaming stores skip the read of a line that will be overwritten whole: copy-like traffic
// falls from three lines moved to two. `out` may be `z` (then streaming is off).
template <class Z, class G, class F> inline void map_row(const Z *z, G *out, int64_t n, bool streaming, F &&f) {
  using R = ComputeOf<Z>;
  constexpr int L = Lanes<Vec<R>>::n;
  int64_t i = 0;
  if constexpr (sizeof(G) >= 4) {
    if (streaming) {
      const auto misaligned = (reinterpret_cast<uintptr_t>(out) % kVectorBytes) / sizeof(G);
      if (misaligned) {
        i = L - static_cast<int64_t>(misaligned) < n ? L - static_cast<int64_t>(misaligned) : n;
        const auto first = f(Storage<Z>::load_first(z, static_cast<int>(i), R(0)), int64_t{0});
        Storage<G>::store_first(out, static_cast<int>(i), first);
      }
      for (; i + 2 * L <= n; i += 2 * L) {
        const auto a = f(Storage<Z>::load(z + i), i), b = f(Storage<Z>::load(z + i + L), i + L);
        stream(out + i, a);
        stream(out + i + L, b);
      }
    }
  }
  for (; i + L <= n; i += L) Storage<G>::store(out + i, f(Storage<Z>::load(z + i), i));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    Storage<G>::store_first(out + i, rest, f(Storage<Z>::load_first(z + i, rest, R(0)), i));
  }
}

inline void finish_streaming() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// ---- the target against its competitors ---------------------------------------------------------------------------

// V is double for one row, a vector for as many rows as it has lanes: the same lines serve both. z_loss adds
// z_loss * logsumexp^2 to the loss; `base` is what logits are counted from.
template <class V> struct Contest {
  V loss;
  V shift;     // max of all logits
  V total;     // sum of exp(sharp (z - shift)) over all classes
  V lead;      // exp(sharp (max of the competitors - shift))
  V pull;      // d loss / d logsumexp with the target's logit held
  V at_target; // times total: the gradient at the target
};
template <class V> inline Contest<V> deformed_contest(const Deformation &deformation, V target, V max, V sum, V sharp) {
  using R = Real<V>;
  const V one = splat<V>(R(1));
  const auto alone = max == R(-kInf);
  const Bent<V> b = bent(deformation, Margin<V>(target, max, sum, sharp));
  return {b.value, alone ? V{} : max, alone ? one : sum, one, b.slope, -b.slope * sum};
}
// target against max and sum, those of exp(sharp (z - max)) of its competitors
template <class V> inline Contest<V> contest(const SoftmaxJob &job, V target, V max, V sum, V sharp, V base) {
  if (job.deformation.kind != Deformation::none) return deformed_contest(job.deformation, target, max, sum, sharp);
  const auto z_loss = static_cast<Real<V>>(job.z_loss);
  using R = Real<V>;
  const V one = splat<V>(R(1));
  const V ahead = (target - max) * sharp, e = exp(-absolute(ahead));
  const auto leads = target >= max;
  const V others = leads ? sum * e : sum;
  // a lead: log(1 + others); otherwise log(sum + e) with sum >= 1, so sum - 1 loses nothing
  const V log_total = log1p(leads ? others : (sum - one) + e);
  const V total = others + (leads ? one : e);
  const V shift = leads ? target : max;
  const auto undefined = target == R(kInf); // a competitor of +inf has left NaN in the sum
  const V nan = splat<V>(R(kNaN));
  V loss = undefined ? nan : log_total - (leads ? V{} : ahead), pull = one, at_target = -others;
  if (z_loss != R(0)) {
    const V lse = (base + shift * sharp) + log_total, steeper = R(2) * z_loss * lse;
    loss += z_loss * lse * lse;
    pull += steeper;
    at_target += steeper * (leads ? one : e);
  }
  return {loss, shift, undefined ? nan : total, leads ? e : one, pull, at_target};
}

// ---- one row's place and weight -----------------------------------------------------------------------------------

struct Place {
  int64_t target; // -1 for probability targets
  double weight;  // 0: does not take part and is never read
  double share;   // of the divisor of the mean
};

inline int64_t index_at(const SoftmaxJob &job, int64_t row) {
  switch (job.index) {
  case Index::u8: return static_cast<const uint8_t *>(job.target)[row];
  case Index::i32: return static_cast<const int32_t *>(job.target)[row];
  case Index::i64: return static_cast<const int64_t *>(job.target)[row];
  case Index::none: break;
  }
  return -1;
}

inline Place place_of(const SoftmaxJob &job, int64_t row, SoftmaxSum &result) {
  constexpr Place absent{-1, 0.0, 0.0};
  if (job.mask && !job.mask[row]) return absent;
  const double weight = job.row_weight ? job.row_weight[row] : 1.0;
  if (weight == 0.0) return absent;
  const double share = job.divisor == Divisor::count ? 1.0 : weight;
  if (job.index == Index::none) return {-1, weight, share};
  const int64_t y = index_at(job, row);
  if (job.has_ignore && y == job.ignore_index) return absent;
  if (y < 0 || y >= job.classes) {
    if (result.bad_row < 0 || row < result.bad_row) result.bad_row = row;
    return absent;
  }
  if (!job.weight) return {y, weight, share};
  const double by_class = weight * job.weight[y], part = job.divisor == Divisor::weights ? by_class : share;
  // with smoothing every class counts, so the class weight enters term by term instead
  if (job.smoothing != 0.0) return {y, weight, part};
  return {job.weight[y] == 0.0 ? -1 : y, by_class, part};
}

template <class R> inline void put_loss(const SoftmaxJob &job, int64_t row, double loss) {
  if (job.loss) static_cast<R *>(job.loss)[row] = static_cast<R>(loss);
}

template <class T> inline bool streams(const SoftmaxJob &job) {
  return job.grad && job.grad != job.logits &&
         job.outer * job.classes * job.inner * static_cast<int64_t>(sizeof(T)) >= kStreamBytes;
}

// First element of a row in an array of these strides.
inline int64_t row_start(const Strides &at, int64_t row, int64_t inner) {
  return inner == 1 ? row * at.outer : row / inner * at.outer + row % inner * at.inner;
}

// ---- along: lanes run along the classes ---------------------------------------------------------------------------

// z holds the logits, counted from `base` and to be multiplied by `sharp`, slope (if any) their derivatives in what the
// gradient is for.
template <class Z, class S, class G>
inline double row_along(const SoftmaxJob &job, const Z *z, S sharp, const ComputeOf<Z> *slope, double base, G *grad,
                        Place at, bool streaming) {
  using R = ComputeOf<Z>;
  using V = Vec<R>;
  const R zy = Storage<Z>::get(z + at.target);
  const auto rest = max_sum_without(z, job.classes, at.target, sharp);
  const auto c = contest<double>(job, zy, rest.max, rest.sum, sharpened(1.0, sharp), base);
  if (grad) {
    const double coefficient = at.weight * gradient_scale(job) / c.total;
    const V shift = splat<V>(static_cast<R>(c.shift)), factor = bounded(splat<V>(static_cast<R>(coefficient * c.pull)));
    const auto at_target = bounded(static_cast<R>(coefficient * c.at_target));
    const auto pushed = [&](V v) { return exp(sharpened(v - shift, sharp)) * factor; };
    if (slope) {
      map_row(z, grad, job.classes, streaming, [&](V v, int64_t k) { return through(load<V>(slope + k), pushed(v)); });
      Storage<G>::put(grad + at.target, through(slope[at.target], at_target));
    } else {
      map_row(z, grad, job.classes, streaming, [&](V v, int64_t) { return pushed(v); });
      Storage<G>::put(grad + at.target, at_target);
    }
  }
  return at.weight * c.loss;
}

// Calls solve(logits, slope or null, base, gradient or null, row, place, streaming), which returns the loss, for every
// row that takes part; if `transformed`, the logits are, and are counted from `base`.
template <class T, class F>
inline SoftmaxSum each_row(const SoftmaxJob &job, bool transformed, int64_t begin, int64_t end, F &&solve) {
  using R = ComputeOf<T>;
  const auto *logits = static_cast<const T *>(job.logits);
  auto *grad = static_cast<T *>(job.grad);
  const bool streaming = streams<T>(job);
  const int64_t classes = job.classes, padded = classes + Lanes<Vec<R>>::n; // whole vectors from anywhere
  const Transform<R> transform(job);
  R *value = transformed ? static_cast<R *>(__builtin_malloc(3 * padded * sizeof(R))) : nullptr;
  R *exists = transformed ? value + padded : nullptr, *slope = has_slope(job) ? exists + padded : nullptr;
  if (transformed)
    for (int64_t k = 0; k < padded; ++k) exists[k] = R(k < classes && (!job.class_mask || job.class_mask[k]));
  SoftmaxSum result;
  for (int64_t row = begin; row < end; ++row) {
    const Place place = place_of(job, row, result);
    const T *z = logits + row_start(job.logits_at, row, job.inner);
    T *g = grad ? grad + row_start(job.grad_at, row, job.inner) : nullptr;
    double loss = 0;
    if (place.weight == 0.0) {
      if (g) __builtin_memset(static_cast<void *>(g), 0, classes * sizeof(T)); // all bits 0 is 0 in every dtype
    } else if (transformed) {
      const R base = transform.row(z, classes, exists, value, slope);
      loss = solve(value, slope, base, g, row, place, streaming);
    } else {
      const R *flat = nullptr;
      loss = solve(z, flat, R(0), g, row, place, streaming);
    }
    put_loss<R>(job, row, loss);
    result.loss += loss;
    result.divisor += place.share;
  }
  if (streaming) finish_streaming();
  __builtin_free(value);
  return result;
}

template <class T, class S>
inline SoftmaxSum softmax_along(const SoftmaxJob &job, S sharp, int64_t begin, int64_t end) {
  const auto solve = [&](const auto *z, const auto *slope, double base, T *g, int64_t, const Place &place,
                         bool streaming) { return row_along(job, z, sharp, slope, base, g, place, streaming); };
  return each_row<T>(job, bends(job), begin, end, solve);
}

} // namespace NEGLOG_ISA
} // namespace neglog
