// Elementwise losses: one formula each, and the loop that serves all types, weights and masks.
#pragma once

#include "blocks.hpp"
#include "rows_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// ---- formulas
// --------------------------------------------------------------------------------------------------------

// f(x, t, pos_weight) -> loss and d loss / dx, what x and t must be, and whether x is read. 1 - t and 1 - p are only
// ever formed where nothing is lost by it: log(1 - p) is log1p(-p).
template <class V> struct Point {
  V loss, grad;
};

enum class Is { anything, probability, log_probability };

// Lanes that prove x to be of another kind.
template <Is kind, class V> inline Int<V> wrong(V x, Real<V> log_limit) {
  if constexpr (kind == Is::probability) return (x < Real<V>(0)) | (x > Real<V>(1));
  if constexpr (kind == Is::log_probability) return x > log_limit;
  return Int<V>{};
}
template <Is kind> constexpr double kHarmless = kind == Is::log_probability ? -0.5 : 0.5;

// log(1 + e) for 0 <= e <= 1. In float e times a polynomial (minimax 4.7e-9 in the relative error; 1.7 ulp, 2.1 without
// fused multiply-add) costs a third of log1p.
template <class V> inline V log1p_fraction(V e) {
  if constexpr (sizeof(Real<V>) == 8) {
    return log1p(e);
  } else {
    V q = splat<V>(-0.0032440247014164925f);
    q = madd(q, e, splat<V>(0.019851459190249443f));
    q = madd(q, e, splat<V>(-0.05695952847599983f));
    q = madd(q, e, splat<V>(0.10603654384613037f));
    q = madd(q, e, splat<V>(-0.15305592119693756f));
    q = madd(q, e, splat<V>(0.1967593878507614f));
    q = madd(q, e, splat<V>(-0.24954134225845337f));
    q = madd(q, e, splat<V>(0.3332996368408203f));
    q = madd(q, e, splat<V>(-0.4999990165233612f));
    return e * madd(q, e, splat<V>(1.0f));
  }
}

struct Bce { // -(t log p + (1 - t) log(1 - p)), gradient (p - t) / (p (1 - p))
  static constexpr Is input = Is::probability, target = Is::probability;
  template <class V> static Int<V> reads_input(V) { return Int<V>{} - 1; }
  template <class V> static Point<V> at(V p, V t, V) {
    using R = Real<V>;
    const V zero{}, one = splat<V>(R(1));
    const auto no = t == R(0), yes = t == R(1);
    const V loss = (no ? zero : t * log(p)) + (yes ? zero : (one - t) * log1p(-p));
    const V rise = no ? one : (yes ? -one : p - t), run = no ? one - p : (yes ? p : p * (one - p));
    return {zero - loss, rise / run};
  }
};

struct BceWithLogits { // (1 - t) softplus(x) + pos_weight t softplus(-x): a sum of two terms of one sign
  static constexpr Is input = Is::anything, target = Is::probability;
  template <class V> static Int<V> reads_input(V) { return Int<V>{} - 1; }
  template <class V> static Point<V> at(V x, V t, V pos_weight) {
    using R = Real<V>;
    const V zero{}, one = splat<V>(R(1)), e = exp(-absolute(x)), rest = log1p_fraction(e);
    const auto positive = x > R(0);
    const V up = positive ? x + rest : rest, down = positive ? rest : rest - x;
    const V yes = pos_weight * t, no = one - t;
    const V larger = one / (one + e), smaller = e * larger; // sigmoid(|x|), sigmoid(-|x|)
    const V sigmoid_x = positive ? larger : smaller, sigmoid_minus_x = positive ? smaller : larger;
    return {(no == R(0) ? zero : no * up) + (yes == R(0) ? zero : yes * down), no * sigmoid_x - yes * sigmoid_minus_x};
  }
};

struct KlDiv { // q (log q - x)
  static constexpr Is input = Is::log_probability, target = Is::probability;
  template <class V> static Int<V> reads_input(V q) { return q != Real<V>(0); }
  template <class V> static Point<V> at(V x, V q, V) { return {q == Real<V>(0) ? V{} : q * (log(q) - x), V{} - q}; }
};

struct KlDivLogTarget { // exp(t) (t - x)
  static constexpr Is input = Is::log_probability, target = Is::log_probability;
  template <class V> static Int<V> reads_input(V t) { return exp(t) != Real<V>(0); }
  template <class V> static Point<V> at(V x, V t, V) {
    const V q = exp(t);
    return {q == Real<V>(0) ? V{} : q * (t - x), V{} - q};
  }
};

// ---- the loop
// ----------------------------------------------------------------------------------------------------------

template <class R> struct Tile {
  alignas(64) R x[kTile], t[kTile], w[kTile], pos_weight[kTile], loss[kTile], grad[kTile];
};

// Elements [at, at + n): where they lie if they are of the arithmetic's type and fill whole vectors, else in `tile`.
template <class R> inline const R *source(const void *from, Element type, int64_t at, int n, R *tile) {
  if (type == kElement<R> && n % Lanes<Vec<R>>::n == 0) return static_cast<const R *>(from) + at;
  load_block(from, type, at, n, tile);
  for (int i = n; i % Lanes<Vec<R>>::n; ++i) tile[i] = R(0);
  return tile;
}

// Weights of [at, at + n), 0 beyond; false if all are one, nothing is masked and nothing lies beyond.
template <class R> inline bool fill_weights(const PointwiseJob &job, int64_t at, int n, R *w) {
  const bool whole = n % Lanes<Vec<R>>::n == 0;
  if (!job.weight.values && job.entries.all_alike() && whole) return false;
  fill_entries(job.entries, at, n, w);
  if (job.weight.values) {
    R weight[kTile];
    fill_pattern(job.weight, at, n, weight);
    for (int i = 0; i < n; ++i) w[i] = combined(w[i], weight[i]);
  }
  for (int i = n; i % Lanes<Vec<R>>::n; ++i) w[i] = R(0);
  return true;
}

// Losses of elements as losses of entries: the mean over each run.
struct RunMeans {
  const PointwiseJob &job;
  double open = 0; // of the run that is not yet complete
  template <class R> void put(int64_t at, int n, const R *loss) {
    if (job.entries.run == 1) return store_block(job.loss, loss_type(job.input_type), at, n, loss);
    for (int i = 0; i < n; ++i) {
      open += static_cast<double>(loss[i]);
      if ((at + i + 1) % job.entries.run) continue;
      open /= static_cast<double>(job.entries.run);
      store_block(job.loss, loss_type(job.input_type), (at + i) / job.entries.run, 1, &open);
      open = 0;
    }
  }
};

// What of a tile proves x or t to be of another kind, as lanes.
template <class F, class R> struct Kinds {
  using V = Vec<R>;
  R input_limit, target_limit;
  explicit Kinds(const PointwiseJob &job)
      : input_limit(static_cast<R>(log_probability_limit(job.input_type))),
        target_limit(static_cast<R>(log_probability_limit(job.target_type))) {}
  Int<V> bad_input(V x, V t) const {
    if constexpr (F::input == Is::anything) return Int<V>{};
    return wrong<F::input>(x, input_limit) & F::reads_input(t);
  }
  Int<V> bad_target(V t) const { return wrong<F::target>(t, target_limit); }
};

template <class F, class R, bool kGrad> struct PointwiseLoop {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  const PointwiseJob &job;
  const Kinds<F, R> kinds{job};
  Tile<R> tile; // written before it is read
  VecD sum{};
  Int<V> wrong_x{}, wrong_t{};
  explicit PointwiseLoop(const PointwiseJob &given) : job(given) {}

  // One tile of `padded` elements; weights and pos_weight may be null.
  void run(const R *x, const R *t, const R *w, const R *pos_weight, int padded, R *grad, bool streaming) {
    const V one = splat<V>(R(1)), scale = splat<V>(static_cast<R>(job.scale));
    constexpr int stretch = static_cast<int>(kTerms) * L;
    for (int start = 0; start < padded; start += stretch) {
      V part{};
      for (int i = start; i < padded && i < start + stretch; i += L) {
        V xi = load<V>(x + i), ti = load<V>(t + i), factor = one;
        if (w) { // what takes no part becomes harmless before anything looks at it
          factor = load<V>(w + i);
          const auto idle = factor == R(0);
          xi = idle ? splat<V>(R(kHarmless<F::input>)) : xi;
          ti = idle ? splat<V>(R(kHarmless<F::target>)) : ti;
        }
        wrong_x |= kinds.bad_input(xi, ti);
        wrong_t |= kinds.bad_target(ti);
        Point<V> point = F::at(xi, ti, pos_weight ? load<V>(pos_weight + i) : one);
        if (w) point.loss *= factor;
        part += point.loss;
        if (job.loss) store(tile.loss + i, point.loss);
        if constexpr (kGrad) {
          const V slope = point.grad * (w ? factor * scale : scale);
          if (streaming)
            stream(grad + i, slope);
          else
            store(grad + i, slope);
        }
      }
      sum += wide(part);
    }
  }

  // The first of n elements that `test` finds.
  template <class Test> int64_t first(int n, Test &&test) const {
    for (int i = 0; i < n; ++i)
      if (test(i)) return i;
    return -1;
  }
};

template <class F, class R, bool kGrad> PointwiseSum pointwise_of(const PointwiseJob &job, int64_t begin, int64_t end) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  PointwiseLoop<F, R, kGrad> loop(job);
  Tile<R> &tile = loop.tile;
  RunMeans means{job};
  const bool direct = job.input_type == kElement<R> && job.grad != job.input;
  const bool large = job.n * static_cast<int64_t>(sizeof(R)) >= kStreamBytes;
  for (int64_t at = begin; at < end; at += kTile) {
    const int n = static_cast<int>(end - at < kTile ? end - at : kTile), padded = (n + L - 1) / L * L;
    const bool weighted = fill_weights(job, at, n, tile.w);
    const R *x = source(job.input, job.input_type, at, n, tile.x);
    const R *t = source(job.target, job.target_type, at, n, tile.t);
    if (job.pos_weight.values) fill_pattern(job.pos_weight, at, n, tile.pos_weight);
    for (int i = n; i < padded; ++i) tile.pos_weight[i] = R(1);
    const bool here = direct && n == padded;
    R *grad = here ? static_cast<R *>(job.grad) + at : tile.grad;
    const bool streaming = here && large && reinterpret_cast<uintptr_t>(grad) % kVectorBytes == 0;
    loop.run(x, t, weighted ? tile.w : nullptr, job.pos_weight.values ? tile.pos_weight : nullptr, padded, grad,
             streaming);
    if (any(loop.wrong_x | loop.wrong_t)) {
      const auto taken = [&](int i) { return !weighted || tile.w[i] != R(0); };
      const auto x_at = [&](int i) { return splat<V>(x[i]); };
      const auto t_at = [&](int i) { return splat<V>(t[i]); };
      const int64_t bad_x = loop.first(n, [&](int i) { return taken(i) && loop.kinds.bad_input(x_at(i), t_at(i))[0]; });
      const int64_t bad_t = loop.first(n, [&](int i) { return taken(i) && loop.kinds.bad_target(t_at(i))[0]; });
      return bad_x >= 0 ? PointwiseSum{0.0, at + bad_x, -1} : PointwiseSum{0.0, -1, at + bad_t};
    }
    if (job.loss) means.put(at, n, tile.loss);
    if (kGrad && !here) store_block(job.grad, job.input_type, at, n, tile.grad);
  }
  if (kGrad && large) finish_streaming();
  return {sum_lanes(loop.sum), -1, -1};
}

template <class F> PointwiseSum pointwise_of(const PointwiseJob &job, int64_t begin, int64_t end) {
  const auto wide = [](Element type) { return type == Element::f64; };
  // in the widest type of what is read: float32 lanes only where nothing is given with more digits or range
  const bool narrow =
      !wide(job.input_type) && !wide(job.target_type) && !(job.weight.values && wide(job.weight.type)) &&
      !(job.pos_weight.values && wide(job.pos_weight.type)) && !(job.entries.weight && wide(job.entries.weight_type));
  if (narrow)
    return job.grad ? pointwise_of<F, float, true>(job, begin, end) : pointwise_of<F, float, false>(job, begin, end);
  return job.grad ? pointwise_of<F, double, true>(job, begin, end) : pointwise_of<F, double, false>(job, begin, end);
}

} // namespace NEGLOG_ISA
} // namespace neglog
