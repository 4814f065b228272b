#include "stats_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

bool goes_along(const Strides &at, int64_t classes) { return at.classes == 1 && classes > kFewClasses; }
template <class T> bool streams(const void *grad, int64_t elements) {
  return grad && elements * static_cast<int64_t>(sizeof(T)) >= kStreamBytes;
}
inline int64_t row_start(const Strides &at, int64_t row, int64_t inner) {
  return inner == 1 ? row * at.outer : row / inner * at.outer + row % inner * at.inner;
}

// ---- who takes part
// --------------------------------------------------------------------------------------------------

constexpr int64_t kNone = -1, kMasked = -2; // no target to speak of; not even read

inline int64_t target_of(const StatsJob &job, int64_t row, int64_t &bad_row) {
  if (job.mask && !job.mask[row]) return kMasked;
  int64_t y = kNone;
  switch (job.index) {
  case Index::none: return kNone;
  case Index::u8: y = static_cast<const uint8_t *>(job.target)[row]; break;
  case Index::i32: y = static_cast<const int32_t *>(job.target)[row]; break;
  case Index::i64: y = static_cast<const int64_t *>(job.target)[row]; break;
  }
  if (job.has_ignore && y == job.ignore_index) return kNone;
  if (y >= 0 && y < job.classes) return y;
  if (bad_row < 0) bad_row = row;
  return kNone;
}

template <class R> void put(void *to, int64_t row, double x) {
  if (to) static_cast<R *>(to)[row] = static_cast<R>(x);
}
template <class R> double upstream(const void *from, int64_t row) {
  return from ? static_cast<double>(static_cast<const R *>(from)[row]) : 0.0;
}

template <class R>
void put_row(const StatsJob &job, int64_t row, int64_t y, double log_prob, double lse, double entropy, int64_t lead,
             int64_t greater) {
  const bool read = y != kMasked;
  put<R>(job.log_prob, row, y >= 0 ? log_prob : 0.0);
  put<R>(job.lse, row, read ? lse : 0.0);
  put<R>(job.entropy, row, read ? entropy : 0.0);
  if (job.argmax) job.argmax[row] = read ? lead : 0;
  if (job.rank) job.rank[row] = y >= 0 ? greater : -1;
}

// ---- forward
// ---------------------------------------------------------------------------------------------------------

template <class T> void stats_along(const StatsJob &job, int64_t begin, int64_t end, int64_t &bad_row) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  const Reader<R> read{job.transforms};
  RowTile<R> tile;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t y = target_of(job, row, bad_row);
    if (y == kMasked) {
      put_row<R>(job, row, y, 0.0, 0.0, 0.0, 0, 0);
      continue;
    }
    const T *z = static_cast<const T *>(job.logits) + row_start(job.logits_at, row, job.inner);
    R target = static_cast<R>(kNaN); // nothing exceeds it
    if (y >= 0) target = read.gone(y) ? static_cast<R>(-kInf) : read.value(splat<V>(Storage<T>::get(z + y)))[0];
    const auto sums = sums_along<true, false>(read, z, job.classes, target, tile);
    const double log_prob = (static_cast<double>(target) - sums.top) - sums.log_total();
    put_row<R>(job, row, y, log_prob, sums.lse(), sums.entropy(), sums.lead, sums.greater);
  }
}

template <class T> void stats_across(const StatsJob &job, int64_t begin, int64_t end, int64_t &bad_row) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const Reader<R> read{job.transforms};
  auto *tile = static_cast<R *>(__builtin_malloc((job.classes + 1) * L * sizeof(R)));
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    const T *z = static_cast<const T *>(job.logits) + run.at(job.logits_at);
    int64_t y[L];
    Int<V> target;
    bool any_read = false;
    for (int i = 0; i < L; ++i) {
      y[i] = i < run.rows ? target_of(job, row + i, bad_row) : kMasked;
      target[i] = y[i];
      any_read |= y[i] != kMasked;
    }
    GroupSums<R> sums{};
    if (any_read) {
      load_tile(z, run.step(job.logits_at), job.logits_at.classes, job.classes, run.rows, tile, L);
      read_transformed(read, job.classes, tile);
      sums = sums_across<true, R>(tile, job.classes, target, nullptr);
    }
    const V log_prob = (sums.target - sums.top) - sums.log_total(), lse = sums.lse(), entropy = sums.entropy();
    for (int i = 0; i < run.rows; ++i)
      put_row<R>(job, row + i, y[i], log_prob[i], lse[i], entropy[i], sums.lead[i], sums.greater[i]);
    row += run.rows;
  }
  __builtin_free(tile);
}

template <class T> int64_t stats_rows(const StatsJob &job, int64_t begin, int64_t end) {
  int64_t bad_row = -1;
  if (goes_along(job.logits_at, job.classes))
    stats_along<T>(job, begin, end, bad_row);
  else
    stats_across<T>(job, begin, end, bad_row);
  return bad_row;
}

// ---- back
// ------------------------------------------------------------------------------------------------------------

// d log p_y = e_y - p,  d logsumexp = p,  d entropy = -p (log p + entropy) with log p + entropy = D / total - (top -
// z):
//   grad_k = p_k (all + to_entropy (top - z_k)) + [k = y] to_log_prob
template <class V> struct Pull {
  V all, at_lead; // at_lead for a target that leads: 1 - p_y would cancel, S / total does not
  V per_total;    // 1 / total
  Pull(const Sums<V> &sums, V to_log_prob, V to_lse, V to_entropy) {
    const V total = sums.total(), rest = to_lse - to_entropy * (sums.distance / total);
    per_total = Real<V>(1) / total;
    all = rest - to_log_prob;
    at_lead = (to_log_prob * sums.others + rest) * per_total;
  }
};

template <class T> void stats_back_along(const StatsJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const Reader<R> read{job.transforms};
  const bool streaming = streams<T>(job.grad, job.outer * job.classes * job.inner);
  int64_t bad_row = -1; // told by the way there
  RowTile<R> tile;
  const bool kept = job.classes <= kBlock<R>;
  for (int64_t row = begin; row < end; ++row) {
    const T *z = static_cast<const T *>(job.logits) + row_start(job.logits_at, row, job.inner);
    T *g = static_cast<T *>(job.grad) + row_start(job.grad_at, row, job.inner);
    const int64_t y = target_of(job, row, bad_row);
    const double to_log_prob = y >= 0 ? upstream<R>(job.to_log_prob, row) : 0.0;
    const double to_lse = upstream<R>(job.to_lse, row), to_entropy = upstream<R>(job.to_entropy, row);
    if (y == kMasked || (to_log_prob == 0.0 && to_lse == 0.0 && to_entropy == 0.0)) {
      __builtin_memset(static_cast<void *>(g), 0, job.classes * sizeof(T));
      continue;
    }
    const auto sums = to_entropy != 0.0 ? sums_along<true, true>(read, z, job.classes, static_cast<R>(kNaN), tile)
                                        : sums_along<false, true>(read, z, job.classes, static_cast<R>(kNaN), tile);
    const Pull<double> pull(sums, to_log_prob, to_lse, to_entropy);
    const V shift = splat<V>(static_cast<R>(sums.top)), bend = splat<V>(static_cast<R>(to_entropy * pull.per_total));
    const V all = splat<V>(static_cast<R>(pull.all * pull.per_total));
    const bool identity = read.plain, masks = job.transforms.class_mask;
    map_row(z, g, job.classes, streaming, [&](V v, int64_t k) {
      const V below = shift - read.value(v);
      V slope = (kept ? load<V>(tile.at + k) : exp(-below)) * (all + bend * capped(below));
      if (!identity) slope *= read.slope(v);
      if (masks)
        for (int i = 0; i < L && k + i < job.classes; ++i) slope[i] = read.gone(k + i) ? R(0) : slope[i];
      return slope;
    });
    if (y < 0 || read.gone(y)) continue;
    const V zy = splat<V>(Storage<T>::get(z + y));
    const double p_y = exp(static_cast<double>(read.value(zy)[0]) - sums.top) * pull.per_total;
    const double below = sums.top - static_cast<double>(read.value(zy)[0]);
    const double at_target =
        y == sums.lead ? pull.at_lead : p_y * (pull.all + to_entropy * capped(below)) + to_log_prob;
    Storage<T>::put(g + y, static_cast<R>(at_target * static_cast<double>(identity ? R(1) : read.slope(zy)[0])));
  }
  if (streaming) finish_streaming();
}

template <class T> void stats_back_across(const StatsJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  using I = decltype(Int<V>{}[0] + 0);
  constexpr int L = Lanes<V>::n;
  const Reader<R> read{job.transforms};
  const bool identity = read.plain && !job.transforms.class_mask;
  const int64_t classes = job.classes;
  auto *raw = static_cast<R *>(__builtin_malloc((identity ? 2 : 3) * (classes + 1) * L * sizeof(R)));
  R *exps = raw + classes * L, *tile = identity ? raw : exps + classes * L;
  int64_t bad_row = -1; // told by the way there
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    V to_log_prob{}, to_lse{}, to_entropy{};
    Int<V> target;
    for (int i = 0; i < L; ++i) {
      const int64_t y = i < run.rows ? target_of(job, row + i, bad_row) : kMasked;
      target[i] = y;
      if (y >= 0) to_log_prob[i] = upstream<R>(job.to_log_prob, row + i);
      if (y == kMasked) continue;
      to_lse[i] = upstream<R>(job.to_lse, row + i);
      to_entropy[i] = upstream<R>(job.to_entropy, row + i);
    }
    const auto idle = (to_log_prob == R(0)) & (to_lse == R(0)) & (to_entropy == R(0));
    load_tile(static_cast<const T *>(job.logits) + run.at(job.logits_at), run.step(job.logits_at),
              job.logits_at.classes, classes, run.rows, raw, L);
    if (!identity) __builtin_memcpy(tile, raw, classes * L * sizeof(R));
    read_transformed(read, classes, tile);
    const auto sums = sums_across<true, R>(tile, classes, target, exps);
    const Pull<V> pull(sums, to_log_prob, to_lse, to_entropy);
    for (int64_t k = 0; k < classes; ++k) {
      const auto is_target = target == static_cast<I>(k);
      const V p = load<V>(exps + k * L) * pull.per_total;
      V slope = p * (pull.all + to_entropy * capped(sums.top - load<V>(tile + k * L)));
      slope = is_target ? ((sums.lead == static_cast<I>(k)) ? pull.at_lead : slope + to_log_prob) : slope;
      if (!read.plain) slope *= read.slope(load<V>(raw + k * L));
      store(exps + k * L, idle | (read.gone(k) ? Int<V>{} - 1 : Int<V>{}) ? V{} : slope);
    }
    store_tile(exps, L, run.step(job.grad_at), job.grad_at.classes, classes, run.rows,
               static_cast<T *>(job.grad) + run.at(job.grad_at), false);
    row += run.rows;
  }
  __builtin_free(raw);
}

template <class T> void stats_back_rows(const StatsJob &job, int64_t begin, int64_t end) {
  const bool along = goes_along(job.logits_at, job.classes) && goes_along(job.grad_at, job.classes);
  along ? stats_back_along<T>(job, begin, end) : stats_back_across<T>(job, begin, end);
}

// ---- log_softmax back
// ------------------------------------------------------------------------------------------------

// sum of x[0 ... n) but for x[skip]: signs cancel, so lanes hold 16 terms before double takes over
template <class T> double sum_without(const T *x, int64_t n, int64_t skip) {
  using R = ComputeOf<T>;
  constexpr int64_t L = Lanes<Vec<R>>::n, step = 16 * L;
  double total = 0;
  for (int64_t start = 0; start < n; start += step) {
    Vec<R> sum{};
    each_vector(x + start, n - start < step ? n - start : step, R(0), [&](Vec<R> v, int64_t i) {
      if (const int64_t at = skip - start - i; at >= 0 && at < L) v[at] = 0;
      sum += v;
    });
    total += sum_lanes(sum);
  }
  return total;
}

template <class T> void log_softmax_back_along(const LogSoftmaxBackJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const Transforms none;
  const Reader<R> read{none};
  const bool streaming = job.grad != job.upstream && streams<T>(job.grad, job.outer * job.classes * job.inner);
  RowTile<R> tile;
  const bool kept = job.classes <= kBlock<R>;
  for (int64_t row = begin; row < end; ++row) {
    const T *z = static_cast<const T *>(job.logits) + row_start(job.logits_at, row, job.inner);
    const T *u = static_cast<const T *>(job.upstream) + row_start(job.upstream_at, row, job.inner);
    T *g = static_cast<T *>(job.grad) + row_start(job.grad_at, row, job.inner);
    const auto sums = sums_along<false, true>(read, z, job.classes, static_cast<R>(kNaN), tile);
    const double others = sum_without(u, job.classes, sums.lead);
    const double at_lead = static_cast<double>(Storage<T>::get(u + sums.lead));
    const V shift = splat<V>(static_cast<R>(sums.top));
    const V pull = splat<V>(static_cast<R>((at_lead + others) / sums.total()));
    map_row(z, g, job.classes, streaming, [&](V v, int64_t k) {
      const int64_t n = job.classes - k;
      const V up = n >= L ? Storage<T>::load(u + k) : Storage<T>::load_first(u + k, static_cast<int>(n), R(0));
      return up - (kept ? load<V>(tile.at + k) : exp(v - shift)) * pull;
    });
    // never u (1 - p) with p near 1
    Storage<T>::put(g + sums.lead, static_cast<R>((at_lead * sums.others - others) / sums.total()));
  }
  if (streaming) finish_streaming();
}

template <class T> void log_softmax_back_across(const LogSoftmaxBackJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  using I = decltype(Int<V>{}[0] + 0);
  constexpr int L = Lanes<V>::n;
  const int64_t classes = job.classes;
  auto *z = static_cast<R *>(__builtin_malloc(2 * (classes + 1) * L * sizeof(R)));
  R *u = z + classes * L;
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    load_tile(static_cast<const T *>(job.logits) + run.at(job.logits_at), run.step(job.logits_at),
              job.logits_at.classes, classes, run.rows, z, L);
    load_tile(static_cast<const T *>(job.upstream) + run.at(job.upstream_at), run.step(job.upstream_at),
              job.upstream_at.classes, classes, run.rows, u, L);
    const auto sums = sums_across<false, R>(z, classes, Int<V>{} + static_cast<I>(kNone), z);
    V at_lead{};
    Compensated<V> others;
    for (int64_t k = 0; k < classes; ++k) {
      const auto leads = sums.lead == static_cast<I>(k);
      const V up = load<V>(u + k * L);
      at_lead = leads ? up : at_lead;
      others.add(leads ? V{} : up);
    }
    const V rest = others.total(), per_total = R(1) / sums.total(), pull = (at_lead + rest) * per_total;
    const V lead_slope = (at_lead * sums.others - rest) * per_total; // never u (1 - p) with p near 1
    for (int64_t k = 0; k < classes; ++k) {
      const V slope = load<V>(u + k * L) - load<V>(z + k * L) * pull;
      store(u + k * L, sums.lead == static_cast<I>(k) ? lead_slope : slope);
    }
    store_tile(u, L, run.step(job.grad_at), job.grad_at.classes, classes, run.rows,
               static_cast<T *>(job.grad) + run.at(job.grad_at), false);
    row += run.rows;
  }
  __builtin_free(z);
}

template <class T> void log_softmax_back_rows(const LogSoftmaxBackJob &job, int64_t begin, int64_t end) {
  const bool along = goes_along(job.logits_at, job.classes) && goes_along(job.upstream_at, job.classes) &&
                     goes_along(job.grad_at, job.classes);
  along ? log_softmax_back_along<T>(job, begin, end) : log_softmax_back_across<T>(job, begin, end);
}

// ---- one entry per concept
// -------------------------------------------------------------------------------------------

template <class Job, class F> auto by_dtype(const Job &job, F &&run) {
  switch (job.dtype) {
  case Dtype::f16: return run(float16{});
  case Dtype::bf16: return run(bfloat16{});
  case Dtype::f32: return run(float{});
  default: return run(double{});
  }
}

int64_t stats(const StatsJob &job, int64_t begin, int64_t end) {
  return by_dtype(job, [&](auto x) { return stats_rows<decltype(x)>(job, begin, end); });
}
void stats_back(const StatsJob &job, int64_t begin, int64_t end) {
  by_dtype(job, [&](auto x) { stats_back_rows<decltype(x)>(job, begin, end); });
}
void log_softmax_back(const LogSoftmaxBackJob &job, int64_t begin, int64_t end) {
  by_dtype(job, [&](auto x) { log_softmax_back_rows<decltype(x)>(job, begin, end); });
}

} // namespace

const StatsKernels &stats_kernels();
const StatsKernels &stats_kernels() {
  static const StatsKernels table{stats, stats_back, log_softmax_back};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
