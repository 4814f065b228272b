#include "blocks.hpp"
#include "math.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

constexpr int kLanes = Lanes<VecD>::n;

// One formula each: f(x, t, pos_weight) -> loss and d loss / dx, what x and t must be, and whether x is read.
// 1 - t and 1 - p are only ever formed where nothing is lost by it: log(1 - p) is log1p(-p).
struct Point {
  VecD loss, grad;
};

enum class Is { anything, probability, log_probability };

// Lanes that prove x to be of another kind.
template <Is kind> inline VecI64 wrong(VecD x, double log_limit) {
  if constexpr (kind == Is::probability) return (x < 0.0) | (x > 1.0);
  if constexpr (kind == Is::log_probability) return x > log_limit;
  return VecI64{};
}
template <Is kind> constexpr double kHarmless = kind == Is::log_probability ? -0.5 : 0.5;

struct Bce { // -(t log p + (1 - t) log(1 - p))
  static constexpr Is input = Is::probability, target = Is::probability;
  static VecI64 reads_input(VecD) { return VecI64{} - 1; }
  static Point at(VecD p, VecD t, VecD) {
    const VecD zero{}, one = zero + 1.0;
    const VecD yes = t == 0.0 ? zero : t * log(p), no = t == 1.0 ? zero : (1.0 - t) * log1p(-p);
    const VecD soft = (p - t) / p / (1.0 - p);
    return {0.0 - (yes + no), t == 0.0 ? one / (1.0 - p) : (t == 1.0 ? -1.0 / p : soft)};
  }
};

struct BceWithLogits { // (1 - t) softplus(x) + pos_weight t softplus(-x): a sum of two terms of one sign
  static constexpr Is input = Is::anything, target = Is::probability;
  static VecI64 reads_input(VecD) { return VecI64{} - 1; }
  static Point at(VecD x, VecD t, VecD pos_weight) {
    const VecD zero{}, e = exp(-absolute(x)), rest = log1p(e);
    const VecD up = x > 0.0 ? x + rest : rest, down = x < 0.0 ? rest - x : rest;
    const VecD yes = pos_weight * t, no = 1.0 - t;
    const VecD larger = 1.0 / (1.0 + e), smaller = e * larger; // sigmoid(|x|), sigmoid(-|x|)
    const VecD sigmoid_x = x >= 0.0 ? larger : smaller, sigmoid_minus_x = x >= 0.0 ? smaller : larger;
    return {(no == 0.0 ? zero : no * up) + (yes == 0.0 ? zero : yes * down), no * sigmoid_x - yes * sigmoid_minus_x};
  }
};

struct KlDiv { // q (log q - x)
  static constexpr Is input = Is::log_probability, target = Is::probability;
  static VecI64 reads_input(VecD q) { return q != 0.0; }
  static Point at(VecD x, VecD q, VecD) { return {q == 0.0 ? VecD{} : q * (log(q) - x), 0.0 - q}; }
};

struct KlDivLogTarget { // exp(t) (t - x)
  static constexpr Is input = Is::log_probability, target = Is::log_probability;
  static VecI64 reads_input(VecD t) { return exp(t) != 0.0; }
  static Point at(VecD x, VecD t, VecD) {
    const VecD q = exp(t);
    return {q == 0.0 ? VecD{} : q * (t - x), 0.0 - q};
  }
};

struct Block {
  alignas(64) double x[kTile], t[kTile], w[kTile], pos_weight[kTile], loss[kTile], grad[kTile];
};

// Weights of [at, at + n); false if all are one and nothing is masked
inline bool fill_weights(const PointwiseJob &job, int64_t at, int n, double *w) {
  if (!job.weight.values && job.entries.all_alike()) return false;
  fill_entries(job.entries, at, n, w);
  if (!job.weight.values) return true;
  double weight[kTile];
  fill_pattern(job.weight, at, n, weight);
  for (int i = 0; i < n; ++i) w[i] = combined(w[i], weight[i]);
  return true;
}

// Losses of elements as losses of entries: the mean over each run.
struct RunMeans {
  const PointwiseJob &job;
  double open = 0; // of the run that is not yet complete
  void put(int64_t at, int n, const double *loss) {
    if (job.entries.run == 1) return store_block(job.loss, loss_type(job.input_type), at, n, loss);
    for (int i = 0; i < n; ++i) {
      open += loss[i];
      if ((at + i + 1) % job.entries.run) continue;
      open /= static_cast<double>(job.entries.run);
      store_block(job.loss, loss_type(job.input_type), (at + i) / job.entries.run, 1, &open);
      open = 0;
    }
  }
};

template <class F> inline VecI64 wrong_input(VecD x, VecD t, double log_limit) {
  if constexpr (F::input == Is::anything) return VecI64{};
  return wrong<F::input>(x, log_limit) & F::reads_input(t);
}

// The first of n lanes, taken one by one, for which test(x, t) holds.
template <class Test> inline int64_t first_where(const Block &b, int n, Test &&test) {
  for (int i = 0; i < n; ++i)
    if (test(splat<VecD>(b.x[i]), splat<VecD>(b.t[i]))[0]) return i;
  return -1;
}

template <class F> PointwiseSum pointwise_of(const PointwiseJob &job, int64_t begin, int64_t end) {
  Block b;
  PointwiseSum result;
  RunMeans means{job};
  const auto bad_input = [limit = log_probability_limit(job.input_type)](VecD x, VecD t) {
    return wrong_input<F>(x, t, limit);
  };
  const auto bad_target = [limit = log_probability_limit(job.target_type)](VecD, VecD t) {
    return wrong<F::target>(t, limit);
  };
  for (int64_t at = begin; at < end; at += kTile) {
    const int n = static_cast<int>(end - at < kTile ? end - at : kTile);
    const int padded = whole_vectors(n);
    load_block(job.input, job.input_type, at, n, b.x);
    load_block(job.target, job.target_type, at, n, b.t);
    for (int i = n; i < padded; ++i) b.x[i] = kHarmless<F::input>, b.t[i] = kHarmless<F::target>;
    const bool weighted = fill_weights(job, at, n, b.w);
    if (weighted) {
      for (int i = n; i < padded; ++i) b.w[i] = 0.0;
      for (int i = 0; i < n; ++i) // what takes no part becomes harmless before anything looks at it
        if (b.w[i] == 0.0) b.x[i] = kHarmless<F::input>, b.t[i] = kHarmless<F::target>;
    }
    if (job.pos_weight.values) fill_pattern(job.pos_weight, at, n, b.pos_weight);
    for (int i = job.pos_weight.values ? n : 0; i < padded; ++i) b.pos_weight[i] = 1.0;

    VecI64 wrong_x{}, wrong_t{};
    for (int i = 0; i < padded; i += kLanes) {
      const VecD x = load<VecD>(b.x + i), t = load<VecD>(b.t + i);
      Point point = F::at(x, t, load<VecD>(b.pos_weight + i));
      wrong_x |= bad_input(x, t);
      wrong_t |= bad_target(x, t);
      if (weighted) {
        const VecD w = load<VecD>(b.w + i);
        point.loss = w == 0.0 ? VecD{} : w * point.loss;
        point.grad = w == 0.0 ? VecD{} : w * point.grad;
      }
      store(b.loss + i, point.loss);
      store(b.grad + i, point.grad * job.scale);
    }
    if (any(wrong_x)) return {0.0, at + first_where(b, n, bad_input), -1};
    if (any(wrong_t)) return {0.0, -1, at + first_where(b, n, bad_target)};
    for (int i = n; i < padded; ++i) b.loss[i] = 0.0;
    result.loss += sum_block(b.loss, padded);
    if (job.loss) means.put(at, n, b.loss);
    if (job.grad) store_block(job.grad, job.input_type, at, n, b.grad);
  }
  return result;
}

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

// Rows of inner == 1 run along the classes, others along the rows: contiguous memory either way.
void back_along_classes(const LogSoftmaxBackJob &job, int64_t row) {
  alignas(64) double log_p[kTile], g[kTile];
  const int64_t start = row * job.classes;
  double total = 0.0;
  for (int64_t c = 0; c < job.classes; c += kTile) {
    const int n = static_cast<int>(job.classes - c < kTile ? job.classes - c : kTile);
    load_block(job.upstream, job.type, start + c, n, g);
    for (int i = n; i < whole_vectors(n); ++i) g[i] = 0.0;
    total += sum_block(g, whole_vectors(n));
  }
  for (int64_t c = 0; c < job.classes; c += kTile) {
    const int n = static_cast<int>(job.classes - c < kTile ? job.classes - c : kTile);
    load_block(job.log_probs, job.type, start + c, n, log_p);
    load_block(job.upstream, job.type, start + c, n, g);
    for (int i = n; i < whole_vectors(n); ++i) log_p[i] = g[i] = 0.0;
    for (int i = 0; i < n; i += kLanes) store(g + i, load<VecD>(g + i) - exp(load<VecD>(log_p + i)) * total);
    store_block(job.grad, job.type, start + c, n, g);
  }
}

void back_along_rows(const LogSoftmaxBackJob &job, int64_t outer, int64_t inner, int n) {
  alignas(64) double log_p[kTile], g[kTile], total[kTile];
  for (int i = 0; i < kTile; ++i) log_p[i] = g[i] = total[i] = 0.0;
  const int64_t start = outer * job.classes * job.inner + inner;
  for (int64_t c = 0; c < job.classes; ++c) {
    load_block(job.upstream, job.type, start + c * job.inner, n, g);
    for (int i = 0; i < n; i += kLanes) store(total + i, load<VecD>(total + i) + load<VecD>(g + i));
  }
  for (int64_t c = 0; c < job.classes; ++c) {
    load_block(job.log_probs, job.type, start + c * job.inner, n, log_p);
    load_block(job.upstream, job.type, start + c * job.inner, n, g);
    for (int i = 0; i < n; i += kLanes)
      store(g + i, load<VecD>(g + i) - exp(load<VecD>(log_p + i)) * load<VecD>(total + i));
    store_block(job.grad, job.type, start + c * job.inner, n, g);
  }
}

void log_softmax_back(const LogSoftmaxBackJob &job, int64_t begin, int64_t end) {
  if (job.inner == 1) {
    for (int64_t row = begin; row < end; ++row) back_along_classes(job, row);
    return;
  }
  while (begin < end) {
    const int64_t outer = begin / job.inner, inner = begin % job.inner;
    int64_t n = job.inner - inner < end - begin ? job.inner - inner : end - begin;
    if (n > kTile) n = kTile;
    back_along_rows(job, outer, inner, static_cast<int>(n));
    begin += n;
  }
}

} // namespace

const LossKernels &loss_kernels() {
  static constexpr LossKernels table = {pointwise, gather, totals, log_softmax_back};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
