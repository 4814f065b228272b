// Row kernels for label smoothing and probability targets whose lanes are rows: few classes, or inner > 1.
#pragma once

#include "rows_across.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class R> struct SoftResult {
  Vec<R> loss;        // not yet weighted
  Int<Vec<R>> usable; // lanes whose probabilities lie in [0, 1] or are NaN
};

// As row_general(), one row per lane. z holds the logits, [class][lane], and leaves as the gradient; a holds the
// probabilities (if there are any) and leaves as the masses a_k. factor is what multiplies the gradient, 0 in idle
// lanes.
template <class R>
inline SoftResult<R> soft_group(const SoftmaxJob &job, const Group<R> &group, Vec<R> factor, R *z, R *a) {
  using V = Vec<R>;
  using I = decltype(group.target[0] + group.target[0]);
  constexpr int L = Lanes<V>::n;
  const int64_t classes = job.classes;
  const bool probabilities = job.index == Index::none;
  const V lowest = splat<V>(static_cast<R>(-kInf));
  V max = lowest;
  Int<V> lead{}, remaining{};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = load<V>(z + k * L);
    const auto leads = v > max;
    max = leads ? v : max;
    lead = leads ? Int<V>{} + static_cast<I>(k) : lead;
    remaining -= v > lowest; // true is -1
  }
  const V keep = splat<V>(static_cast<R>(1.0 - job.smoothing));
  const V count = __builtin_convertvector(remaining, V);
  const V spread = static_cast<R>(job.smoothing) / (count > R(0) ? count : splat<V>(R(1)));
  Compensated<V> sum, mass, distance; // exp(z - max) of all but the lead; a; a (max - z)
  Int<V> outside{};
  for (int64_t start = 0; start < classes; start += 16) { // 16 terms at a time
    const int64_t stop = classes - start < 16 ? classes : start + 16;
    V s{}, m{}, d{};
    for (int64_t k = start; k < stop; ++k) {
      const V v = load<V>(z + k * L), e = exp(v - max);
      s += lead == static_cast<I>(k) ? V{} : e;
      V t = probabilities ? load<V>(a + k * L) : (group.target == static_cast<I>(k) ? splat<V>(R(1)) : V{});
      outside |= (t < R(0)) | (t > R(1));
      if (job.smoothing != 0.0) t = t * keep + (v > lowest ? spread : V{});
      if (job.weight) t *= static_cast<R>(job.weight[k]);
      m += t;
      d += t == R(0) ? V{} : t * (max - v);
      store(z + k * L, e);
      store(a + k * L, t);
    }
    sum.add(s), mass.add(m), distance.add(d);
  }
  const V others = sum.total(), total_mass = mass.total();
  const V log_total = absolute(max) == static_cast<R>(kInf) ? splat<V>(static_cast<R>(kNaN)) : log1p(others);
  if (job.grad) {
    const V undefined = log_total - log_total; // 0, or NaN
    const V p = total_mass / (R(1) + others) + undefined;
    const auto idle = factor == R(0);
    for (int64_t k = 0; k < classes; ++k) {
      const V t = load<V>(a + k * L);
      const V at_lead = (total_mass - t) - p * others; // never p - a where both are near 1
      const V slope = lead == static_cast<I>(k) ? at_lead : load<V>(z + k * L) * p - t;
      store(z + k * L, idle ? V{} : factor * slope);
    }
  }
  // a compensated sum of infinities is NaN; what it compensates is then beside the point
  const V whole_distance = absolute(distance.sum) == static_cast<R>(kInf) ? distance.sum : distance.total();
  return {whole_distance + total_mass * log_total, ~outside};
}

template <class T> inline SoftmaxSum soft_across(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  using V = Vec<R>;
  constexpr int L = Group<R>::L;
  const auto *logits = static_cast<const T *>(job.logits);
  const auto *q = job.index == Index::none ? static_cast<const T *>(job.target) : nullptr;
  auto *grad = static_cast<T *>(job.grad);
  const int64_t classes = job.classes;
  auto *z = static_cast<R *>(__builtin_malloc(2 * classes * L * sizeof(R)));
  R *a = z + classes * L;
  SoftmaxSum result;
  double sums[L] = {};
  Group<R> group{};
  for (int64_t row = begin; row < end;) {
    const Run run = run_at(row, end, job.inner, L);
    const int rows = run.rows;
    V factor{};
    for (int i = 0; i < L; ++i) {
      const Place place = i < rows ? place_of(job, row + i, result) : Place{-1, 0.0, 0.0};
      group.target[i] = static_cast<decltype(group.target[0] + group.target[0])>(place.target);
      group.weight[i] = place.weight;
      factor[i] = static_cast<R>(place.weight * job.scale);
      result.divisor += place.share;
    }
    const Strides &from = job.logits_at, &given = job.target_at, &to = job.grad_at;
    gather_lanes(logits + run.at(from), run.step(from), from.classes, classes, rows, z);
    if (q) gather_lanes(q + run.at(given), run.step(given), given.classes, classes, rows, a);
    const auto soft = soft_group<R>(job, group, factor, z, a);
    if (grad) scatter_lanes(z, run.step(to), to.classes, classes, rows, grad + run.at(to));
    R loss[L];
    store(loss, soft.loss);
    for (int i = 0; i < rows; ++i) {
      const double weighted = group.weight[i] == 0.0 ? 0.0 : group.weight[i] * static_cast<double>(loss[i]);
      if (group.weight[i] != 0.0 && !soft.usable[i] && result.bad_row < 0) result.bad_row = row + i;
      sums[i] += weighted;
      put_loss<R>(job, row + i, weighted);
    }
    row += rows;
  }
  __builtin_free(z);
  for (int i = 0; i < L; ++i) result.loss += sums[i];
  return result;
}

} // namespace NEGLOG_ISA
} // namespace neglog
