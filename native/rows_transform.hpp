// What happens to logits before the softmax: soft cap, temperature, class mask. Rows are transformed into scratch of
// the arithmetic type, where the formulas find them; a row is still read from memory once.
//
//   z' = softcap tanh(z / softcap) / temperature; -inf stays (a class that is gone), and is where the class mask is 0.
// What is kept is the distance from the row's top logit: z' of 30 rounded to float32 would move a probability by 5e-7.
// With a = z / softcap, b that of the top,
//   tanh a - tanh b = 2 sigma(-2 a) sigma(2 b) expm1(2 (a - b)),   d tanh(a) / da = 4 e / (1 + e)^2, e = exp(-2 |a|)
// lose nothing, neither between close logits nor where the cap saturates. The slope that is kept is that of cap and
// mask; the temperature's is part of gradient_scale().
#pragma once

#include "math.hpp"
#include "rows.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class T> using ComputeOf = typename Storage<T>::Compute;

inline bool bends(const SoftmaxJob &job) { return job.softcap != 0.0 || job.class_mask; }
inline bool transforms(const SoftmaxJob &job) { return bends(job) || job.temperature != 1.0; }

// Where only what bends is transformed, distances between logits are still to be sharpened: by a number, or by 1, which
// costs nothing.
struct One {};
template <class V> inline V sharpened(V distance, One) { return distance; }
template <class V> inline V sharpened(V distance, Real<V> by) { return distance * by; }
template <class R, class F> inline auto with_sharpness(const SoftmaxJob &job, F &&f) {
  return bends(job) || job.temperature == 1.0 ? f(One{}) : f(static_cast<R>(1.0 / job.temperature));
}

inline bool has_slope(const SoftmaxJob &job) { return job.grad && bends(job); }
inline double gradient_scale(const SoftmaxJob &job) { return job.scale / job.temperature; }

// A gradient through the slope; a class that is gone passes nothing on, NaN included.
template <class V> inline V through(V slope, V g) { return slope == Real<V>(0) ? V{} : slope * g; }

template <class R> struct Transform {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  bool capped;
  R twice_inward, outward;

  explicit Transform(const SoftmaxJob &job)
      : capped(job.softcap != 0.0), twice_inward(static_cast<R>(capped ? 2.0 / job.softcap : 1.0)),
        outward(static_cast<R>((capped ? job.softcap : 1.0) / job.temperature)) {}

  // What rows have in common with their top logits, one per lane.
  struct Top {
    V logit, factor, value; // value: z' of the top
  };
  Top top_of(V logit) const {
    if (!capped) return {logit, splat<V>(outward), logit * outward};
    const V e = exp(-absolute(logit * twice_inward)), above = (logit > R(0) ? splat<V>(R(1)) : e) / (e + R(1));
    return {logit, R(2) * outward * above, tanh(logit * (R(0.5) * twice_inward)) * outward};
  }

  void put(const Top &top, V z, V exists, R *value, R *slope) const {
    const auto masked = exists == R(0), gone = masked | (z == R(-kInf));
    V below = z - top.logit, s = splat<V>(R(1));
    if (capped) {
      const V e = exp(-absolute(z * twice_inward)), share = R(1) / (e + R(1));
      below = (z > R(0) ? e * share : share) * expm1(below * twice_inward);
      below = z == top.logit ? V{} : below; // +inf too: the cap makes it finite
      s = gone ? s : R(4) * e * share * share;
    }
    store(value, gone ? splat<V>(R(-kInf)) : below * top.factor);
    if (slope) store(slope, masked ? V{} : s);
  }

  // value and slope have room for whole vectors; `exists` holds 0 or 1 per class. Returns z' of the top logit.
  template <class T> R row(const T *z, int64_t classes, const R *exists, R *value, R *slope) const {
    const V lowest = splat<V>(static_cast<R>(-kInf));
    const auto logits = [&](int64_t k) {
      return classes - k < L ? Storage<T>::load_first(z + k, static_cast<int>(classes - k), R(0))
                             : Storage<T>::load(z + k);
    };
    V best = lowest;
    for (int64_t k = 0; k < classes; k += L)
      best = max_or_second(load<V>(exists + k) == R(0) ? lowest : logits(k), best);
    const Top top = top_of(splat<V>(max_lanes(best)));
    for (int64_t k = 0; k < classes; k += L)
      put(top, logits(k), load<V>(exists + k), value + k, slope ? slope + k : nullptr);
    return top.value[0];
  }

  // One group of lanes of a tile[class][lane], in place. Returns z' of the top logits.
  V lanes(R *z, int64_t classes, int64_t width, const uint8_t *class_mask, R *slope) const {
    V best = splat<V>(static_cast<R>(-kInf));
    for (int64_t k = 0; k < classes; ++k)
      if (!class_mask || class_mask[k]) best = max_or_second(load<V>(z + k * width), best);
    const Top top = top_of(best);
    for (int64_t k = 0; k < classes; ++k)
      put(top, load<V>(z + k * width), splat<V>(R(!class_mask || class_mask[k])), z + k * width,
          slope ? slope + k * width : nullptr);
    return top.value;
  }
};

} // namespace NEGLOG_ISA
} // namespace neglog
