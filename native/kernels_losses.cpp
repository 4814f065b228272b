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
  if (job.inner == 1 && class_step == 1 && outer_step == job.classes) { // no gaps
    __builtin_memset(grad + begin * job.classes * size, 0, (end - begin) * job.classes * size);
    return;
  }
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

template <class T> inline void put_rounded(T *to, double x) {
  if constexpr (sizeof(T) == 2)
    Storage<T>::put(to, to_odd(x));
  else
    *to = static_cast<T>(x);
}

template <class T> GatherSum gather_of(const GatherJob &job, int64_t begin, int64_t end) {
  alignas(64) double x[kTile], w[kTile], loss[kTile];
  const auto *input = static_cast<const T *>(job.input);
  auto *grad = static_cast<T *>(job.grad);
  GatherSum result;
  const double limit = job.probabilities ? 1.0 : log_probability_limit(job.input_type);
  const double lowest = job.probabilities ? 0.0 : -kInf;
  for (int64_t at = begin; at < end; at += kTile) {
    const int n = static_cast<int>(end - at < kTile ? end - at : kTile);
    if (grad) clear_rows(job, at, at + n);
    fill_entries(job.entries, at, n, w);
    for (int i = 0; i < n; ++i) {
      const int64_t row = at + i;
      x[i] = 1.0;
      if (w[i] == 0.0) continue;
      const int64_t y = load_index(job.target, job.target_type, row);
      if (ignored(job.has_ignore, job.ignore_index, y)) {
        w[i] = 0.0;
        continue;
      }
      if (y < 0 || y >= job.classes) return {0.0, row, -1};
      if (job.weight) w[i] = combined(w[i], job.weight[y]);
      if (w[i] == 0.0) continue;
      const int64_t outer = job.inner == 1 ? row : row / job.inner, inner = job.inner == 1 ? 0 : row % job.inner;
      const auto place = [=](const Strides &at) { return outer * at.outer + y * at.classes + inner * at.inner; };
      x[i] = static_cast<double>(Storage<T>::get(input + place(job.input_at)));
      if (x[i] < lowest || x[i] > limit) return {0.0, -1, row};
      if (grad) put_rounded(grad + place(job.grad_at), -w[i] * job.scale);
    }
    const int padded = whole_vectors(n);
    for (int i = n; i < padded; ++i) x[i] = 1.0, w[i] = 0.0;
    for (int i = 0; i < padded; i += kLanes) {
      const VecD value = load<VecD>(x + i), weight = load<VecD>(w + i);
      const VecD log_p = job.probabilities ? log(value) : value;
      store(loss + i, weight == 0.0 ? VecD{} : 0.0 - weight * log_p);
    }
    result.loss += sum_block(loss, padded);
    if (job.loss) store_block(job.loss, loss_type(job.input_type), at, n, loss);
  }
  return result;
}

GatherSum gather(const GatherJob &job, int64_t begin, int64_t end) {
  switch (job.input_type) {
  case Element::f16: return gather_of<float16>(job, begin, end);
  case Element::bf16: return gather_of<bfloat16>(job, begin, end);
  case Element::f32: return gather_of<float>(job, begin, end);
  default: return gather_of<double>(job, begin, end);
  }
}

Totals totals(const TotalsJob &job, int64_t begin, int64_t end) {
  alignas(64) double entries[kTile], weights[kTile], magnitude[kTile];
  Totals result;
  if (job.target && job.target_type == Element::i64 && job.has_ignore && !job.weight.values &&
      job.entries.all_alike()) { // what is asked for most, in a loop that vectorises
    const auto *y = static_cast<const int64_t *>(job.target);
    for (int64_t i = begin; i < end; ++i) result.count += y[i] != job.ignore_index;
    result.entries = result.weights = result.magnitude = static_cast<double>(result.count);
    return result;
  }
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
