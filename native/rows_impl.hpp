// Softmax-type rows: one pass over memory for the value, one more over cache for the gradient.
//
// Two shapes of the same computation:
//   along:  one row at a time, lanes run along the classes (many classes, contiguous).
//   across: as many rows as lanes at a time (few classes, or rows that lie side by side with inner > 1).
// Both keep the target apart from its competitors: with M and S = sum exp(z_k - M) over k != y,
//   loss = log1p(S exp(M - z_y))  if the target leads,   (M - z_y) + log(S + exp(z_y - M))  otherwise,
// so a confident correct row keeps its loss (margin 40: 4.2e-18), and its gradient is minus the sum of the others.
#pragma once

#include "math.hpp"
#include "rows.hpp"

namespace neglog {
namespace NEGLOG_ISA {

constexpr int64_t kBlock = 1024; // elements whose max, then sum, is taken while they are in L1
constexpr int64_t kFewClasses = 512;
constexpr int64_t kStreamBytes = int64_t{16} << 20; // outputs beyond this are not worth keeping in cache

template <class T> using ComputeOf = typename Storage<T>::Compute;

template <class T> inline T negative_infinity() {
  if constexpr (sizeof(T) == 2)
    return T{static_cast<uint16_t>(__is_same(T, float16) ? 0xfc00 : 0xff80)};
  else
    return static_cast<T>(-kInf);
}

// ---- a stretch of contiguous elements -----------------------------------------------------------------------------

// Calls body(vector, first index) over n elements; what lies beyond the end reads as `pad`.
template <class T, class F> inline void each_vector(const T *p, int64_t n, ComputeOf<T> pad, F &&body) {
  using S = Storage<T>;
  constexpr int L = Lanes<Vec<ComputeOf<T>>>::n;
  int64_t i = 0;
  for (; i + L <= n; i += L) body(S::load(p + i), i);
  if (i < n) body(S::load_first(p + i, static_cast<int>(n - i), pad), i);
}

template <class T> inline ComputeOf<T> block_max(const T *p, int64_t n) {
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
  return max_lanes(max_or_second(max_or_second(m0, m1), max_or_second(m2, m3)));
}

// sum exp(z - shift): lanes in the arithmetic type, at most kBlock / (4 lanes) terms each, then double
template <class T> inline double block_sum_exp(const T *p, int64_t n, ComputeOf<T> shift) {
  using V = Vec<ComputeOf<T>>;
  using S = Storage<T>;
  constexpr int L = Lanes<V>::n;
  const V c = splat<V>(shift);
  V s0{}, s1{}, s2{}, s3{};
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    s0 += exp(S::load(p + i) - c);
    s1 += exp(S::load(p + i + L) - c);
    s2 += exp(S::load(p + i + 2 * L) - c);
    s3 += exp(S::load(p + i + 3 * L) - c);
  }
  each_vector(p + i, n - i, static_cast<ComputeOf<T>>(-kInf), [&](V v, int64_t) { s0 += exp(v - c); });
  return sum_lanes((s0 + s1) + (s2 + s3));
}

// Online max and sum of exponentials: the row is read from memory once.
template <class R> struct MaxSum {
  R max = static_cast<R>(-kInf);
  double sum = 0; // sum of exp(z - max); a max of -inf counts from 0, so that -inf everywhere gives sum 0
  R shift() const { return max == static_cast<R>(-kInf) ? R(0) : max; }
};

template <class T> inline void add_block(MaxSum<ComputeOf<T>> &s, const T *p, int64_t n) {
  const auto top = block_max(p, n);
  if (top > s.max) {
    s.sum *= exp(static_cast<double>(s.max) - static_cast<double>(top));
    s.max = top;
  }
  s.sum += block_sum_exp(p, n, s.shift());
}

// All classes but `skip` (-1: all).
template <class T> inline MaxSum<ComputeOf<T>> max_sum_without(const T *z, int64_t classes, int64_t skip) {
  MaxSum<ComputeOf<T>> s;
  for (int64_t k = 0; k < classes; k += kBlock) {
    const int64_t n = classes - k < kBlock ? classes - k : kBlock;
    if (skip >= k && skip < k + n) {
      T copy[kBlock];
      __builtin_memcpy(copy, z + k, n * sizeof(T));
      copy[skip - k] = negative_infinity<T>();
      add_block(s, copy, n);
    } else {
      add_block(s, z + k, n);
    }
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
template <class T, class F> inline void map_row(const T *z, T *out, int64_t n, bool streaming, F &&f) {
  using S = Storage<T>;
  constexpr int L = Lanes<Vec<ComputeOf<T>>>::n;
  int64_t i = 0;
  if constexpr (sizeof(T) >= 4) {
    if (streaming) {
      const auto misaligned = (reinterpret_cast<uintptr_t>(out) % kVectorBytes) / sizeof(T);
      if (misaligned) {
        i = L - static_cast<int64_t>(misaligned) < n ? L - static_cast<int64_t>(misaligned) : n;
        S::store_first(out, static_cast<int>(i), f(S::load_first(z, static_cast<int>(i), T(0)), int64_t{0}));
      }
      for (; i + 2 * L <= n; i += 2 * L) {
        const auto a = f(S::load(z + i), i), b = f(S::load(z + i + L), i + L);
        stream(out + i, a);
        stream(out + i + L, b);
      }
    }
  }
  for (; i + L <= n; i += L) S::store(out + i, f(S::load(z + i), i));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    S::store_first(out + i, rest, f(S::load_first(z + i, rest, ComputeOf<T>(0)), i));
  }
}

inline void finish_streaming() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// ---- the target against its competitors
// ------------------------------------------------------------------------------

// V is double for one row, a vector for as many rows as it has lanes: the same lines serve both.
template <class V> struct Contest {
  V loss;
  V shift;  // max of all logits
  V total;  // sum of exp(z - shift) over all classes
  V others; // the same over the competitors
  V lead;   // exp(max of the competitors - shift)
};
template <class V> inline Contest<V> contest(V target, V max, V sum) {
  using R = Real<V>;
  const V one = splat<V>(R(1));
  const V e = exp(-absolute(target - max));
  const auto leads = target >= max;
  const V others = leads ? sum * e : sum;
  // a lead: log(1 + others); otherwise log(sum + e) with sum >= 1, so sum - 1 loses nothing
  const V loss = log1p(leads ? others : (sum - one) + e) + (leads ? V{} : max - target);
  const V total = others + (leads ? one : e);
  const auto undefined = target == R(kInf); // a competitor of +inf has left NaN in the sum
  const V nan = splat<V>(R(kNaN));
  return {undefined ? nan : loss, leads ? target : max, undefined ? nan : total, others, leads ? e : one};
}

// ---- one row's place and weight
// ---------------------------------------------------------------------------------------

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

// ---- along: lanes run along the classes
// -------------------------------------------------------------------------------

template <class T> inline double row_along(const SoftmaxJob &job, const T *z, T *grad, Place at, bool streaming) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  const R zy = Storage<T>::get(z + at.target);
  const auto rest = max_sum_without(z, job.classes, at.target);
  const auto c = contest<double>(zy, rest.max, rest.sum);
  if (grad) {
    const double coefficient = at.weight * job.scale / c.total;
    const V shift = splat<V>(static_cast<R>(c.shift)), factor = splat<V>(static_cast<R>(coefficient));
    map_row(z, grad, job.classes, streaming, [&](V v, int64_t) { return exp(v - shift) * factor; });
    Storage<T>::put(grad + at.target, static_cast<R>(-coefficient * c.others));
  }
  return at.weight * c.loss;
}

// ---- general targets: label smoothing or probabilities
// -----------------------------------------------------------------

// a_k = w_k ((1 - eps) t_k + eps / C' [z_k > -inf]);  loss = sum a_k (lse - z_k), gradient p_k sum(a) - a_k.
// C' counts the classes that remain (z_k > -inf). The leading class j is kept apart as in contest().
template <class T> struct SoftTarget {
  const SoftmaxJob &job;
  const T *probabilities; // or null: index
  int64_t target;
  double smooth = 0; // eps / C'
  using R = ComputeOf<T>;
  using V = Vec<R>;

  static constexpr int L = Lanes<V>::n;
  int lanes_at(int64_t k) const { return job.classes - k < L ? static_cast<int>(job.classes - k) : L; }
  V given(int64_t k) const {
    const int n = lanes_at(k);
    return n == L ? Storage<T>::load(probabilities + k) : Storage<T>::load_first(probabilities + k, n, R(0));
  }

  V mass(V z, int64_t k) const {
    const int n = lanes_at(k);
    V a{};
    if (probabilities)
      a = given(k);
    else if (target >= k && target < k + L)
      a[target - k] = 1;
    if (job.smoothing != 0.0) {
      const V spread = z > static_cast<R>(-kInf) ? splat<V>(static_cast<R>(smooth)) : V{};
      a = a * static_cast<R>(1.0 - job.smoothing) + spread;
    }
    if (job.weight) {
      R w[L];
      for (int i = 0; i < L; ++i) w[i] = i < n ? static_cast<R>(job.weight[k + i]) : R(0);
      a *= load<V>(w);
    }
    return a;
  }
};

template <class T> inline int64_t first_equal(const T *z, int64_t n, ComputeOf<T> x) {
  for (int64_t k = 0; k < n; ++k)
    if (Storage<T>::get(z + k) == x) return k;
  return 0;
}

template <class T>
inline double row_general(const SoftmaxJob &job, const T *z, const T *q, T *grad, Place at, bool streaming,
                          bool &usable) { // usable: every q lies in [0, 1], or is NaN and makes the loss NaN
  using R = ComputeOf<T>;
  using V = Vec<R>;
  const int64_t classes = job.classes;
  const R top = block_max(z, classes);
  const int64_t lead = first_equal(z, classes, top);
  const auto rest = max_sum_without(z, classes, lead);
  // all -inf: inf - inf is NaN, as it should be; a +inf leaves NaN in the sum or here
  const double others = rest.sum * exp(static_cast<double>(rest.max) - static_cast<double>(top));
  const double log_total = top == static_cast<R>(kInf) ? kNaN : log1p(others);
  SoftTarget<T> soft{job, q, at.target};
  if (job.smoothing != 0.0) {
    int64_t remaining = 0;
    for (int64_t k = 0; k < classes; ++k) remaining += Storage<T>::get(z + k) > static_cast<R>(-kInf);
    soft.smooth = job.smoothing / static_cast<double>(remaining > 0 ? remaining : 1);
  }
  double mass = 0, distance = 0; // sum a, sum a (top - z)
  const V shift = splat<V>(top);
  Int<V> outside{};
  for (int64_t start = 0; start < classes; start += kBlock) { // lanes hold few terms, blocks add in double
    const int64_t n = classes - start < kBlock ? classes - start : kBlock;
    V block_mass{}, block_distance{};
    each_vector(z + start, n, static_cast<R>(-kInf), [&](V v, int64_t k) { // padding: a class that is gone
      const V a = soft.mass(v, start + k);
      if (q) outside |= (soft.given(start + k) < R(0)) | (soft.given(start + k) > R(1));
      block_mass += a;
      block_distance += a == R(0) ? V{} : a * (shift - v);
    });
    mass += sum_lanes(block_mass);
    distance += sum_lanes(block_distance);
  }
  usable = !any(outside);
  if (grad) {
    const bool undefined = !(log_total == log_total);
    const double factor = at.weight * job.scale, total = undefined ? kNaN : 1.0 + others;
    const R lead_mass = [&] {
      const int64_t k = lead / soft.L * soft.L;
      return soft.mass(Storage<T>::load_first(z + k, soft.lanes_at(k), static_cast<R>(-kInf)), k)[lead - k];
    }();
    const V p = splat<V>(static_cast<R>(mass / total * factor)), scale = splat<V>(static_cast<R>(factor));
    const double at_lead = factor * ((mass - lead_mass) - mass * others / total);
    map_row(z, grad, classes, streaming, [&](V v, int64_t k) { return exp(v - shift) * p - soft.mass(v, k) * scale; });
    Storage<T>::put(grad + lead, static_cast<R>(at_lead));
  }
  return at.weight * (distance + mass * log_total);
}

// ---- rows whose classes are contiguous, one after another ---------------------------------------------------------

// First element of a row in an array of these strides.
inline int64_t row_start(const Strides &at, int64_t row, int64_t inner) {
  return inner == 1 ? row * at.outer : row / inner * at.outer + row % inner * at.inner;
}

template <class T> inline SoftmaxSum softmax_along(const SoftmaxJob &job, int64_t begin, int64_t end) {
  const auto *logits = static_cast<const T *>(job.logits);
  const auto *q = job.index == Index::none ? static_cast<const T *>(job.target) : nullptr;
  auto *grad = static_cast<T *>(job.grad);
  const bool general = q || job.smoothing != 0.0, streaming = streams<T>(job);
  const int64_t classes = job.classes;
  SoftmaxSum result;
  for (int64_t row = begin; row < end; ++row) {
    const Place place = place_of(job, row, result);
    const T *z = logits + row_start(job.logits_at, row, job.inner);
    T *g = grad ? grad + row_start(job.grad_at, row, job.inner) : nullptr;
    double loss = 0;
    if (place.weight == 0.0) {
      if (g) __builtin_memset(static_cast<void *>(g), 0, classes * sizeof(T)); // all bits 0 is 0 in every dtype
    } else if (general) {
      bool usable = true;
      const T *given = q ? q + row_start(job.target_at, row, job.inner) : nullptr;
      loss = row_general(job, z, given, g, place, streaming, usable);
      if (!usable && result.bad_row < 0) result.bad_row = row;
    } else {
      loss = row_along(job, z, g, place, streaming);
    }
    put_loss<ComputeOf<T>>(job, row, loss);
    result.loss += loss;
    result.divisor += place.share;
  }
  if (streaming) finish_streaming();
  return result;
}

} // namespace NEGLOG_ISA
} // namespace neglog
