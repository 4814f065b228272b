// What happens to logits before the softmax: soft cap, temperature, class mask. Rows are transformed into scratch of
// the arithmetic type, where the formulas find them; a row is still read from memory once.
//
//   z' = softcap tanh(z / softcap) / temperature; -inf stays (a class that is gone), and is where the class mask is 0.
// The slope that is kept is that of cap and mask; the temperature's is part of gradient_scale().
#pragma once

#include "math.hpp"
#include "rows.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class T> using ComputeOf = typename Storage<T>::Compute;

inline bool transforms(const SoftmaxJob &job) { return job.softcap != 0.0 || job.temperature != 1.0 || job.class_mask; }
inline bool has_slope(const SoftmaxJob &job) { return job.grad && (job.softcap != 0.0 || job.class_mask); }
inline double gradient_scale(const SoftmaxJob &job) { return job.scale / job.temperature; }

// A gradient through the slope; a class that is gone passes nothing on, NaN included.
template <class V> inline V through(V slope, V g) { return slope == Real<V>(0) ? V{} : slope * g; }

template <class R> struct Transform {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  bool capped;
  R inward, outward;

  explicit Transform(const SoftmaxJob &job)
      : capped(job.softcap != 0.0), inward(static_cast<R>(capped ? 1.0 / job.softcap : 1.0)),
        outward(static_cast<R>((capped ? job.softcap : 1.0) / job.temperature)) {}

  void put(V z, V exists, R *value, R *slope) const {
    V y = z, s = splat<V>(R(1));
    if (capped) {
      const auto t = tanh_with_slope(z * inward);
      y = z == R(-kInf) ? z : t.value;
      s = z == R(-kInf) ? s : t.slope;
    }
    const auto gone = exists == R(0);
    store(value, gone ? splat<V>(R(-kInf)) : y * outward);
    if (slope) store(slope, gone ? V{} : s);
  }

  // value and slope have room for whole vectors; `exists` holds 0 or 1 per class.
  template <class T> void row(const T *z, int64_t classes, const R *exists, R *value, R *slope) const {
    for (int64_t k = 0; k < classes; k += L) {
      const int n = classes - k < L ? static_cast<int>(classes - k) : L;
      const V v = n == L ? Storage<T>::load(z + k) : Storage<T>::load_first(z + k, n, R(0));
      put(v, load<V>(exists + k), value + k, slope ? slope + k : nullptr);
    }
  }

  // tile[class][lane], in place
  void tile(R *z, int64_t classes, int64_t width, const uint8_t *class_mask, R *slope) const {
    for (int64_t k = 0; k < classes; ++k)
      for (int64_t i = k * width; i < (k + 1) * width; i += L)
        put(load<V>(z + i), splat<V>(R(!class_mask || class_mask[k])), z + i, slope ? slope + i : nullptr);
  }
};

} // namespace NEGLOG_ISA
} // namespace neglog
