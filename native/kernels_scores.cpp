// Scores of rows of class predictions, all arithmetic in double: value, Brier contribution, confidence, checks, and
// the sums of the columns, in one reading of the row.
//
// As in the loss kernels the true class is kept apart from its rivals, so a confident correct row keeps its loss.
// Lanes run along the classes, or, where those are few, across rows. A row's numbers depend on the row alone.
#include "math.hpp"
#include "scores.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

constexpr int kLanes = Lanes<VecD>::n;
constexpr int64_t kFewClasses = 48; // more: the lanes run along the classes
constexpr int64_t kChunk = 2048;    // classes of a row that are in L1 as doubles: 16 KiB

template <Kind kind> constexpr double kAbsent = kind == Kind::probs ? 0.0 : -kInf; // stands where no rival is

// What the classes other than the true one amount to. W is double, or VecD with one row a lane.
template <class W> struct Rivals {
  W min = splat<W>(kInf), max = splat<W>(-kInf); // of what the columns hold
  Int<W> first{};                                // first class that has the max
  W sum{}, squares{};                            // of the probabilities; logits: of exp(z - max)
};

template <class W> struct Verdict {
  W nll, brier, confidence;
  W own, factor; // p_y, and what turns the terms of Rivals::sum into probabilities
  W sum_off;     // |sum p - 1|
  Int<W> leads;  // the true class is ahead of all rivals; `ties`: level with them
  Int<W> ties;
  Int<W> ok;
};

template <Kind kind, class W> inline Verdict<W> judge(W target, const Rivals<W> &r, double tolerance) {
  Verdict<W> v;
  const auto leads = target > r.max, ties = target == r.max;
  v.leads = leads, v.ties = ties;
  const W best = leads ? target : r.max;
  if constexpr (kind == Kind::logits) {
    const W e = exp(-absolute(target - r.max));
    const W scale = leads ? e : splat<W>(1.0); // of the rivals' terms, relative to the best of all
    const W others = r.sum * scale;
    const W total = others + (leads ? splat<W>(1.0) : e);
    v.nll = log1p(leads ? others : (r.sum - 1.0) + e) + (leads ? W{} : r.max - target);
    v.brier = (others * others + r.squares * scale * scale) / (total * total);
    v.confidence = 1.0 / total;
    v.own = (leads ? splat<W>(1.0) : e) / total;
    v.factor = scale / total;
    v.sum_off = W{};
    v.ok = (best < kInf) & (best > -kInf) & (target == target) & (r.sum == r.sum);
  } else {
    if constexpr (kind == Kind::probs) {
      v.nll = 0.0 - log(target);
      v.own = target;
      v.confidence = best;
      v.brier = (1.0 - target) * (1.0 - target) + r.squares;
    } else {
      const W missing = expm1(target); // p_y - 1
      v.nll = 0.0 - target;
      v.own = exp(target);
      v.confidence = exp(best);
      v.brier = missing * missing + r.squares;
    }
    v.factor = splat<W>(1.0);
    v.sum_off = absolute(r.sum + v.own - 1.0);
    const double lowest = kind == Kind::probs ? 0.0 : -kInf, highest = kind == Kind::probs ? 1.0 : 0.0;
    v.ok = (target >= lowest) & (best <= highest) & (r.min >= lowest) & (v.sum_off <= tolerance);
  }
  return v;
}

template <class T> inline double element(const T *p) { return static_cast<double>(Storage<T>::get(p)); }

// Why the row has no score; only asked for rows that judge() refused.
template <class T, Kind kind> RowStatus reason(const ScoreJob &job, const T *row) {
  bool outside = false;
  for (int64_t k = 0; k < job.classes; ++k) {
    const double v = element(row + k * job.class_stride);
    if (v != v) return kNotANumber;
    outside |= kind == Kind::probs ? !(v >= 0.0 && v <= 1.0) : v > 0.0;
  }
  if (kind == Kind::logits) return kUndefined;
  return outside ? kOutside : kSumOff;
}

// ---- column sums ------------------------------------------------------------------------------------------------

struct Parts {
  VecD high, low;
};
inline Parts quantized(VecD p) { // 0 <= p <= 1: multiples of 2^-36 and 2^-73, each sum of 2^17 of them is exact
  const VecD high = (p + 0x1.8p16) - 0x1.8p16;
  return {high, ((p - high) + 0x1.8p-21) - 0x1.8p-21};
}
inline void add_columns(VecD p, double *high, double *low) {
  const Parts parts = quantized(p);
  store(high, load<VecD>(high) + parts.high);
  store(low, load<VecD>(low) + parts.low);
}

// ---- along: one row, lanes run along the classes ----------------------------------------------------------------

template <class T> inline int64_t load_chunk(const T *p, int64_t stride, int64_t n, double pad, double *out) {
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) out[i] = element(p + i);
  else
    for (int64_t i = 0; i < n; ++i) out[i] = element(p + i * stride);
  const int64_t padded = (n + kLanes - 1) / kLanes * kLanes;
  for (int64_t i = n; i < padded; ++i) out[i] = pad;
  return padded;
}

// What the columns hold -> the terms of Rivals::sum.
template <Kind kind> inline void to_terms(const Rivals<double> &r, double *z, int64_t padded) {
  if constexpr (kind == Kind::probs) return;
  const double shift = kind == Kind::logits && r.max > -kInf ? r.max : 0.0;
  for (int64_t i = 0; i < padded; i += kLanes) store(z + i, exp(load<VecD>(z + i) - shift));
}

// Adds a chunk of rivals; leaves the terms of r.sum in it (relative to r.max, which later chunks may raise).
template <Kind kind> inline void add_chunk(Rivals<double> &r, double *z, int64_t padded, int64_t first_class) {
  VecD min = splat<VecD>(kInf), max = splat<VecD>(-kInf), sum{}, squares{};
  VecI64 index{}, first{};
  for (int i = 0; i < kLanes; ++i) index[i] = first_class + i;
  for (int64_t i = 0; i < padded; i += kLanes, index += kLanes) {
    const VecD v = load<VecD>(z + i);
    const auto above = v > max;
    max = above ? v : max;
    first = above ? index : first;
    min = v < min ? v : min;
  }
  const double top = max_lanes(max);
  if (kind == Kind::logits && top > r.max) {
    const double shrink = exp(r.max - top);
    r.sum *= shrink;
    r.squares *= shrink * shrink;
  }
  if (top > r.max) {
    int64_t winner = INT64_MAX;
    for (int i = 0; i < kLanes; ++i)
      if (max[i] == top && first[i] < winner) winner = first[i];
    r.max = top, r.first = winner;
  }
  to_terms<kind>(r, z, padded);
  for (int64_t i = 0; i < padded; i += kLanes) {
    const VecD term = load<VecD>(z + i);
    sum += term;
    squares += term * term;
  }
  r.sum += sum_lanes(sum);
  r.squares += sum_lanes(squares);
  for (int i = 0; i < kLanes; ++i) r.min = min[i] < r.min ? min[i] : r.min;
}

template <class T, Kind kind> void row_along(const ScoreJob &job, int64_t row, ColumnSums &sums, double *z) {
  const T *p = static_cast<const T *>(job.p) + row * job.row_stride;
  const int64_t classes = job.classes, y = job.label[row];
  const auto size = [&](int64_t k) { return classes - k < kChunk ? classes - k : kChunk; };
  const auto load_rivals = [&](int64_t k) {
    const int64_t padded = load_chunk(p + k * job.class_stride, job.class_stride, size(k), kAbsent<kind>, z);
    if (y >= k && y < k + kChunk) z[y - k] = kAbsent<kind>;
    return padded;
  };
  Rivals<double> rivals;
  int64_t padded = 0;
  for (int64_t k = 0; k < classes; k += kChunk) add_chunk<kind>(rivals, z, padded = load_rivals(k), k);

  const auto v = judge<kind, double>(element(p + y * job.class_stride), rivals, job.tolerance);
  if (!v.ok) {
    job.status[row] = reason<T, kind>(job, p);
    return;
  }
  job.nll[row] = v.nll, job.brier[row] = v.brier, job.confidence[row] = v.confidence;
  job.top[row] = static_cast<int32_t>(v.leads || (v.ties && y < rivals.first) ? y : rivals.first);
  if (v.sum_off > sums.largest_sum_off) sums.largest_sum_off = v.sum_off;

  for (int64_t k = 0; k < classes; k += kChunk) {
    if (classes > kChunk) { // otherwise the terms are still there
      padded = load_rivals(k);
      to_terms<kind>(rivals, z, padded);
    }
    const double factor = v.factor * (job.weight ? job.weight[row] : 1.0);
    for (int64_t i = 0; i < padded; ++i) z[i] *= factor;
    if (y >= k && y < k + kChunk) z[y - k] = v.own * (job.weight ? job.weight[row] : 1.0);
    if (job.weight)
      job.weighted_row(job.context, k, size(k), z);
    else
      for (int64_t i = 0; i < padded; i += kLanes) add_columns(load<VecD>(z + i), sums.high + k + i, sums.low + k + i);
  }
}

template <class T, Kind kind> void along(const ScoreJob &job, int64_t begin, int64_t end, ColumnSums &sums) {
  double z[kChunk];
  for (int64_t row = begin; row < end; ++row)
    if (job.status[row] == kScored) row_along<T, kind>(job, row, sums, z);
}

// ---- across: one row a lane ---------------------------------------------------------------------------------------

template <class T, Kind kind> struct Across {
  const ScoreJob &job;
  double z[kFewClasses][kLanes];
  VecD high[kFewClasses] = {}, low[kFewClasses] = {};
  VecD largest_sum_off = {};

  explicit Across(const ScoreJob &j) : job(j) {}

  void rows(int64_t row, int n) {
    const int64_t classes = job.classes;
    VecI64 label = VecI64{} - 1;
    VecD weight{};
    for (int lane = 0; lane < kLanes; ++lane) {
      const bool read = lane < n && job.status[row + lane] == kScored;
      const T *p = static_cast<const T *>(job.p) + (row + lane) * job.row_stride;
      for (int64_t k = 0; k < classes; ++k) z[k][lane] = read ? element(p + k * job.class_stride) : 0.0;
      if (!read) continue;
      label[lane] = job.label[row + lane];
      weight[lane] = job.weight ? job.weight[row + lane] : 1.0;
    }
    Rivals<VecD> rivals;
    VecD target{};
    for (int64_t k = 0; k < classes; ++k) {
      const VecD v = load<VecD>(z[k]);
      const auto is_target = label == k;
      target = is_target ? v : target;
      const VecD rival = is_target ? splat<VecD>(kAbsent<kind>) : v;
      const auto above = rival > rivals.max;
      rivals.max = above ? rival : rivals.max;
      rivals.first = above ? VecI64{} + k : rivals.first;
      rivals.min = rival < rivals.min ? rival : rivals.min;
      store(z[k], rival);
    }
    const VecD shift = kind == Kind::logits ? (rivals.max > -kInf ? rivals.max : VecD{}) : VecD{};
    for (int64_t k = 0; k < classes; ++k) {
      const VecD v = load<VecD>(z[k]);
      const VecD term = kind == Kind::probs ? v : exp(v - shift);
      rivals.sum += term;
      rivals.squares += term * term;
      store(z[k], term);
    }
    const auto verdict = judge<kind, VecD>(target, rivals, job.tolerance);
    const VecI64 scored = verdict.ok & (label >= 0);
    finish(row, n, label, scored, rivals, verdict);
    add(n, label, scored, weight, verdict);
  }

  void finish(int64_t row, int n, VecI64 label, VecI64 scored, const Rivals<VecD> &rivals, const Verdict<VecD> &v) {
    const VecD off = scored ? v.sum_off : VecD{};
    largest_sum_off = off > largest_sum_off ? off : largest_sum_off;
    const VecI64 top = (v.leads | (v.ties & (label < rivals.first))) ? label : rivals.first;
    for (int lane = 0; lane < n; ++lane) {
      if (label[lane] < 0) continue;
      const int64_t r = row + lane;
      if (!scored[lane]) {
        job.status[r] = reason<T, kind>(job, static_cast<const T *>(job.p) + r * job.row_stride);
        continue;
      }
      job.nll[r] = v.nll[lane], job.brier[r] = v.brier[lane], job.confidence[r] = v.confidence[lane];
      job.top[r] = static_cast<int32_t>(top[lane]);
    }
  }

  void add(int n, VecI64 label, VecI64 scored, VecD weight, const Verdict<VecD> &v) {
    const VecD factor = v.factor * weight, own = v.own * weight;
    for (int64_t k = 0; k < job.classes; ++k) {
      const VecD p = label == k ? own : load<VecD>(z[k]) * factor;
      const VecD counted = scored ? p : VecD{};
      store(z[k], counted);
      if (job.weight) continue;
      const Parts parts = quantized(counted);
      high[k] += parts.high;
      low[k] += parts.low;
    }
    if (!job.weight) return;
    double values[kFewClasses];
    for (int lane = 0; lane < n; ++lane) {
      if (!scored[lane]) continue;
      for (int64_t k = 0; k < job.classes; ++k) values[k] = z[k][lane];
      job.weighted_row(job.context, 0, job.classes, values);
    }
  }
};

template <class T, Kind kind> void across(const ScoreJob &job, int64_t begin, int64_t end, ColumnSums &sums) {
  Across<T, kind> group(job);
  for (int64_t row = begin; row < end; row += kLanes)
    group.rows(row, end - row < kLanes ? static_cast<int>(end - row) : kLanes);
  for (int64_t k = 0; k < job.classes; ++k) { // exact, like every sum of these parts
    sums.high[k] += sum_lanes(group.high[k]);
    sums.low[k] += sum_lanes(group.low[k]);
  }
  const double off = max_lanes(group.largest_sum_off);
  if (off > sums.largest_sum_off) sums.largest_sum_off = off;
}

// ---- the table ----------------------------------------------------------------------------------------------------

template <class T, Kind kind> void score(const ScoreJob &job, int64_t begin, int64_t end, ColumnSums &sums) {
  if (job.classes <= kFewClasses)
    across<T, kind>(job, begin, end, sums);
  else
    along<T, kind>(job, begin, end, sums);
}

template <class T> void score_kind(const ScoreJob &job, int64_t begin, int64_t end, ColumnSums &sums) {
  switch (job.kind) {
  case Kind::probs: return score<T, Kind::probs>(job, begin, end, sums);
  case Kind::logits: return score<T, Kind::logits>(job, begin, end, sums);
  case Kind::logprobs: return score<T, Kind::logprobs>(job, begin, end, sums);
  }
}

void score_rows(const ScoreJob &job, int64_t begin, int64_t end, ColumnSums &sums) {
  switch (job.dtype) {
  case Dtype::f16: return score_kind<float16>(job, begin, end, sums);
  case Dtype::f32: return score_kind<float>(job, begin, end, sums);
  default: return score_kind<double>(job, begin, end, sums); // the caller widens bfloat16
  }
}

} // namespace

const ScoreKernels &score_kernels() {
  static constexpr ScoreKernels table{score_rows};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
