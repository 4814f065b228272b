#include "rows_soft.hpp"
#include "rows_tempered.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace {

template <class T, bool kGiven, bool kSmooth>
SoftmaxSum soft_rows(const SoftmaxJob &job, int64_t begin, int64_t end, bool along) {
  return along ? soft_rows_along<T, kGiven, kSmooth>(job, begin, end)
               : soft_across<T, kGiven, kSmooth>(job, begin, end);
}

template <class T> SoftmaxSum softmax_rows(const SoftmaxJob &job, int64_t begin, int64_t end) {
  if (job.deformation.kind >= Deformation::tempered) return rows_in_double<T>(job, begin, end);
  const bool given = job.index == Index::none, smooth = job.smoothing != 0.0;
  const bool contiguous =
      job.logits_at.classes == 1 && (!job.grad || job.grad_at.classes == 1) && (!given || job.target_at.classes == 1);
  const bool along = contiguous && job.classes > kFewClasses;
  if (given)
    return smooth ? soft_rows<T, true, true>(job, begin, end, along)
                  : soft_rows<T, true, false>(job, begin, end, along);
  if (smooth) return soft_rows<T, false, true>(job, begin, end, along);
  if (!along && in_pairs(job)) return softmax_pairs<T>(job, begin, end);
  return with_sharpness<ComputeOf<T>>(job, [&](auto sharp) {
    return along ? softmax_along<T>(job, sharp, begin, end) : softmax_across<T>(job, sharp, begin, end);
  });
}

SoftmaxSum softmax_nll(const SoftmaxJob &job, int64_t begin, int64_t end) {
  switch (job.dtype) {
  case Dtype::f16: return softmax_rows<float16>(job, begin, end);
  case Dtype::bf16: return softmax_rows<bfloat16>(job, begin, end);
  case Dtype::f32: return softmax_rows<float>(job, begin, end);
  case Dtype::f64: return softmax_rows<double>(job, begin, end);
  }
  return {};
}

double divisor(const SoftmaxJob &job, int64_t begin, int64_t end) {
  SoftmaxSum sum;
  if (job.index == Index::i64 && !job.mask && !job.row_weight && !job.weight) { // the loop that vectorises
    const auto *y = static_cast<const int64_t *>(job.target);
    int64_t ignored = 0;
    for (int64_t row = begin; row < end; ++row) ignored += y[row] == job.ignore_index;
    return static_cast<double>(end - begin - (job.has_ignore ? ignored : 0));
  }
  for (int64_t row = begin; row < end; ++row) sum.divisor += place_of(job, row, sum).share;
  return sum.divisor;
}

template <class T> void logsumexp_rows(const LseJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  const bool contiguous = job.logits_at.classes == 1 && (!job.out || job.out_at.classes == 1);
  if (!contiguous || job.classes <= kFewClasses) return normalise_rows_across<T>(job, begin, end);
  const int64_t classes = job.classes;
  for (int64_t row = begin; row < end; ++row) {
    const T *z = static_cast<const T *>(job.logits) + row_start(job.logits_at, row, job.inner);
    const auto [top, others] = top_and_others(z, classes);
    const double log_total = log1p(others); // NaN stays
    const bool infinite = absolute(top) == static_cast<R>(kInf);
    if (job.lse) static_cast<R *>(job.lse)[row] = static_cast<R>(static_cast<double>(top) + log_total);
    if (!job.out) continue;
    const V shift = splat<V>(top), offset = splat<V>(static_cast<R>(infinite ? kNaN : log_total));
    const V factor = splat<V>(static_cast<R>(infinite ? kNaN : 1.0 / (1.0 + others)));
    T *out = static_cast<T *>(job.out) + row_start(job.out_at, row, job.inner);
    if (job.probabilities)
      map_row(z, out, classes, false, [&](V v, int64_t) { return exp(v - shift) * factor; });
    else
      map_row(z, out, classes, false, [&](V v, int64_t) { return (v - shift) - offset; });
  }
}

void logsumexp(const LseJob &job, int64_t begin, int64_t end) {
  switch (job.dtype) {
  case Dtype::f16: return logsumexp_rows<float16>(job, begin, end);
  case Dtype::bf16: return logsumexp_rows<bfloat16>(job, begin, end);
  case Dtype::f32: return logsumexp_rows<float>(job, begin, end);
  case Dtype::f64: return logsumexp_rows<double>(job, begin, end);
  }
}

} // namespace

const RowKernels &row_kernels();
const RowKernels &row_kernels() {
  static const RowKernels table{softmax_nll, divisor, logsumexp};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
