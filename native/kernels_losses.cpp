#include "pointwise.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

constexpr int kLanes = Lanes<VecD>::n;

PointwiseSum pointwise(const PointwiseJob &job, int64_t begin, int64_t end) {
  switch (job.formula) {
  case Pointwise::bce: return pointwise_of<Bce>(job, begin, end);
  case Pointwise::bce_with_logits: return pointwise_of<BceWithLogits>(job, begin, end);
  case Pointwise::kl_div: return pointwise_of<KlDiv>(job, begin, end);
  default: return pointwise_of<KlDivLogTarget>(job, begin, end);
  }
}

inline bool ignored(bool has_ignore, int64_t ignore_index, int64_t y) { return has_ignore && y == ignore_index; }

// Zeroes the gradient of rows [begin, end), in the order in which it lies in memory.
void clear_rows(const GatherJob &job, int64_t begin, int64_t end) {
  const int size = element_size(job.input_type);
  auto *grad = static_cast<char *>(job.grad);
  const auto [outer_step, class_step, inner_step] = job.grad_at;
  while (begin < end) {
    const int64_t outer = job.inner == 1 ? begin : begin / job.inner, first = job.inner == 1 ? 0 : begin % job.inner;
    const int64_t n = job.inner - first < end - begin ? job.inner - first : end - begin;
    char *start = grad + (outer * outer_step + first * inner_step) * size;
    const bool classes_last = class_step == 1;
    const int64_t lines = classes_last ? n : job.classes, line_step = classes_last ? inner_step : class_step;
    const int64_t length = classes_last ? job.classes : n, step = classes_last ? 1 : inner_step;
    for (int64_t line = 0; line < lines; ++line) {
      char *to = start + line * line_step * size;
      if (step == 1 || length == 1)
        __builtin_memset(to, 0, length * size);
      else
        for (int64_t i = 0; i < length; ++i) __builtin_memset(to + i * step * size, 0, size);
    }
    begin += n;
  }
}

GatherSum gather(const GatherJob &job, int64_t begin, int64_t end) {
  alignas(64) double x[kTile], w[kTile], loss[kTile];
  GatherSum result;
  const Element loss_kind = loss_type(job.input_type);
  const double log_limit = log_probability_limit(job.input_type);
  if (job.grad) clear_rows(job, begin, end);
  for (int64_t at = begin; at < end; at += kTile) {
    const int n = static_cast<int>(end - at < kTile ? end - at : kTile);
    fill_entries(job.entries, at, n, w);
    for (int i = 0; i < n; ++i) {
      const int64_t row = at + i;
      x[i] = 1.0;
      const double entry = w[i];
      w[i] = 0.0;
      if (entry == 0.0) continue;
      const int64_t y = load_index(job.target, job.target_type, row);
      if (ignored(job.has_ignore, job.ignore_index, y)) continue;
      if (y < 0 || y >= job.classes) return {0.0, row, -1};
      w[i] = combined(entry, job.weight ? job.weight[y] : 1.0);
      if (w[i] == 0.0) continue;
      const int64_t outer = job.inner == 1 ? row : row / job.inner, inner = job.inner == 1 ? 0 : row % job.inner;
      const auto place = [=](const Strides &at) { return outer * at.outer + y * at.classes + inner * at.inner; };
      x[i] = load_value(job.input, job.input_type, place(job.input_at));
      if (job.probabilities ? x[i] < 0.0 || x[i] > 1.0 : x[i] > log_limit) return {0.0, -1, row};
      if (job.grad) {
        const double slope = -w[i] * job.scale;
        store_block(job.grad, job.input_type, place(job.grad_at), 1, &slope);
      }
    }
    const int padded = whole_vectors(n);
    for (int i = n; i < padded; ++i) x[i] = 1.0, w[i] = 0.0;
    for (int i = 0; i < padded; i += kLanes) {
      const VecD value = load<VecD>(x + i), weight = load<VecD>(w + i);
      const VecD log_p = job.probabilities ? log(value) : value;
      store(loss + i, weight == 0.0 ? VecD{} : 0.0 - weight * log_p);
    }
    result.loss += sum_block(loss, padded);
    if (job.loss) store_block(job.loss, loss_kind, at, n, loss);
  }
  return result;
}

Totals totals(const TotalsJob &job, int64_t begin, int64_t end) {
  alignas(64) double entries[kTile], weights[kTile], magnitude[kTile];
  Totals result;
  for (int64_t at = begin; at < end; at += kTile) {
    const int n = static_cast<int>(end - at < kTile ? end - at : kTile);
    const int padded = whole_vectors(n);
    fill_entries(job.entries, at, n, entries);
    if (!job.target && job.weight.values) fill_pattern(job.weight, at, n, weights);
    for (int i = 0; i < n; ++i) {
      double weight = !job.target && job.weight.values ? weights[i] : 1.0;
      if (job.target && entries[i] != 0.0) {
        const int64_t y = load_index(job.target, job.target_type, at + i);
        if (ignored(job.has_ignore, job.ignore_index, y))
          entries[i] = 0.0;
        else if (y < 0 || y >= job.classes) // the loss kernel reports it
          weight = 0.0;
        else if (job.weight.values)
          weight = load_value(job.weight.values, job.weight.type, y);
      }
      result.count += entries[i] != 0.0;
      weights[i] = combined(entries[i], weight);
      magnitude[i] = absolute(weights[i]);
    }
    for (int i = n; i < padded; ++i) entries[i] = weights[i] = magnitude[i] = 0.0;
    result.entries += sum_block(entries, padded);
    result.weights += sum_block(weights, padded);
    result.magnitude += sum_block(magnitude, padded);
  }
  return result;
}

} // namespace

const LossKernels &loss_kernels() {
  static constexpr LossKernels table = {pointwise, gather, totals};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
