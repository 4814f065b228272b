// Row kernels whose lanes are rows: few classes, or rows that lie side by side (inner > 1).
#pragma once

#include "rows_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// A vector of the arithmetic type as one or two vectors of double.
template <class R> struct Wide {
  static constexpr int parts = sizeof(double) / sizeof(R);
  VecD part[parts];

  static Wide from(Vec<R> v) {
    Wide w;
    if constexpr (parts == 1) {
      w.part[0] = v;
    } else {
      HalfF half[2];
      __builtin_memcpy(half, &v, sizeof v);
      w.part[0] = widen(half[0]), w.part[1] = widen(half[1]);
    }
    return w;
  }
  Vec<R> narrowed() const {
    if constexpr (parts == 1) {
      return part[0];
    } else {
      const HalfF half[2] = {narrow(part[0]), narrow(part[1])};
      Vec<R> v;
      __builtin_memcpy(&v, half, sizeof v);
      return v;
    }
  }
};

// As many rows as lanes. Lanes without a row, and rows that do not take part, have target -1 and weight 0.
template <class R> struct Group {
  using V = Vec<R>;
  static constexpr int L = Lanes<V>::n;
  typename Lanes<V>::Int target;
  double weight[L];
  double loss[L]; // weighted
};

// Z is how the logits are stored, class k at z + k * stride; G how the gradient is. With kKeep the exponentials replace
// the logits, which the gradient then reads: one exponential per element. z is scratch in that case.
template <bool kKeep, class R, class Z, class G>
inline void group_across(Group<R> &group, Z *z, int64_t stride, int64_t classes, double scale, G *g, int64_t g_stride) {
  using V = Vec<R>;
  using I = decltype(group.target[0] + group.target[0]);
  const V lowest = splat<V>(static_cast<R>(-kInf));
  V max = lowest, zy{};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = Storage<Z>::load(z + k * stride);
    const auto is_target = group.target == static_cast<I>(k);
    zy = is_target ? v : zy;
    max = max_or_second(is_target ? lowest : v, max);
  }
  const V shift = max == lowest ? V{} : max;
  Wide<R> sum{};
  for (int64_t start = 0; start < classes; start += 16) { // few terms in the arithmetic type, then double
    const int64_t stop = classes - start < 16 ? classes : start + 16;
    V s{};
    for (int64_t k = start; k < stop; ++k) {
      const V e = exp(Storage<Z>::load(z + k * stride) - shift);
      s += group.target == static_cast<I>(k) ? V{} : e;
      if constexpr (kKeep) Storage<Z>::store(z + k * stride, e);
    }
    const auto w = Wide<R>::from(s);
    for (int i = 0; i < Wide<R>::parts; ++i) sum.part[i] += w.part[i];
  }
  const auto target = Wide<R>::from(zy), top = Wide<R>::from(max);
  Wide<R> factor, at_target;
  for (int i = 0; i < Wide<R>::parts; ++i) {
    constexpr int D = Lanes<VecD>::n;
    const auto c = contest<VecD>(target.part[i], top.part[i], sum.part[i]);
    const VecD weight = load<VecD>(group.weight + i * D);
    store(group.loss + i * D, weight == 0.0 ? VecD{} : weight * c.loss);
    const VecD coefficient = weight * scale / c.total;
    factor.part[i] = coefficient * c.lead; // exponentials were taken from the best competitor
    at_target.part[i] = -coefficient * c.others;
  }
  if (!g) return;
  const V f = factor.narrowed(), y = at_target.narrowed();
  const auto idle = group.target < 0;
  for (int64_t k = 0; k < classes; ++k) {
    const V v = Storage<Z>::load(z + k * stride);
    V e;
    if constexpr (kKeep)
      e = v;
    else
      e = exp(v - shift);
    Storage<G>::store(g + k * g_stride, idle ? V{} : (group.target == static_cast<I>(k) ? y : e * f));
  }
}

template <class T, class R> inline void gather_lanes(const T *z, int64_t step, int64_t stride, int64_t classes, int rows, R *tile) {
  constexpr int L = Lanes<Vec<R>>::n;
  for (int64_t k = 0; k < classes; ++k)
    for (int i = 0; i < L; ++i) tile[k * L + i] = i < rows ? Storage<T>::get(z + i * step + k * stride) : R(0);
}
template <class T, class R> inline void scatter_lanes(const R *tile, int64_t step, int64_t stride, int64_t classes, int rows, T *g) {
  constexpr int L = Lanes<Vec<R>>::n;
  for (int i = 0; i < rows; ++i)
    for (int64_t k = 0; k < classes; ++k) Storage<T>::put(g + i * step + k * stride, tile[k * L + i]);
}

template <class T> inline SoftmaxSum softmax_across(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  constexpr int L = Group<R>::L;
  const auto *logits = static_cast<const T *>(job.logits);
  auto *grad = static_cast<T *>(job.grad);
  const int64_t classes = job.classes, inner = job.inner;
  auto *tile = static_cast<R *>(__builtin_malloc(classes * L * sizeof(R)));
  SoftmaxSum result;
  double sums[L] = {};
  for (int64_t row = begin; row < end;) {
    int64_t rows = end - row < L ? end - row : L;
    if (inner > 1 && inner - row % inner < rows) rows = inner - row % inner; // stay inside one outer block
    const int64_t at = row / inner * classes * inner + row % inner;
    const int64_t step = inner == 1 ? classes : 1, stride = inner;
    Group<R> group{};
    for (int i = 0; i < L; ++i) {
      const Place place = i < rows ? place_of(job, row + i, result) : Place{-1, 0.0};
      group.target[i] = static_cast<decltype(group.target[0] + 0)>(place.target);
      group.weight[i] = place.weight;
    }
    if (inner > 1 && rows == L) {
      group_across<false>(group, logits + at, stride, classes, job.scale, grad ? grad + at : nullptr, stride);
    } else {
      gather_lanes(logits + at, step, stride, classes, static_cast<int>(rows), tile);
      group_across<true>(group, tile, L, classes, job.scale, grad ? tile : nullptr, L);
      if (grad) scatter_lanes(tile, step, stride, classes, static_cast<int>(rows), grad + at);
    }
    for (int i = 0; i < L; ++i) sums[i] += group.loss[i];
    for (int i = 0; i < rows; ++i) put_loss<R>(job, row + i, group.loss[i]);
    row += rows;
  }
  __builtin_free(tile);
  for (int i = 0; i < L; ++i) result.loss += sums[i];
  return result;
}

} // namespace NEGLOG_ISA
} // namespace neglog
