// One read of a row of logits: its maximum and where it is, the sum of the other exponentials, what the entropy needs,
// and how many logits exceed the target's.
//
// The leading class is kept apart, as in rows_impl.hpp. With S = sum of exp(z - top) and D = sum of (top - z) exp(z -
// top) over the others, both sums of terms >= 0,
//   logsumexp = top + log1p(S),   log p_k = (z_k - top) - log1p(S),   entropy = log1p(S) + D / (1 + S),
// so that a confident row keeps its log-probability and its entropy.
#pragma once

#include "rows_across.hpp"
#include "stats.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// ---- logits as they are read ---------------------------------------------------------------------------------------

template <class R> struct Reader {
  using V = Vec<R>;
  const Transforms &of;
  R per_cap = of.softcap != 0.0 ? static_cast<R>(1.0 / of.softcap) : R(0);
  R factor = static_cast<R>((of.softcap != 0.0 ? of.softcap : 1.0) / of.temperature);
  R per_temperature = static_cast<R>(1.0 / of.temperature);
  bool plain = of.softcap == 0.0 && of.temperature == 1.0;

  V value(V z) const {
    if (plain) return z;
    if (of.softcap == 0.0) return z * factor;
    return z == static_cast<R>(-kInf) ? z : tanh(z * per_cap) * factor; // a class that is masked stays so
  }
  V slope(V z) const { // d value / d z
    if (of.softcap == 0.0) return splat<V>(per_temperature);
    return tanh_with_slope(z * per_cap).slope * per_temperature;
  }
  bool gone(int64_t k) const { return of.class_mask && !of.class_mask[k]; }
};

// Classes [k, k + n) of a contiguous row, -inf beyond them up to a multiple of four vectors.
template <class T, class R> inline void read_block(const Reader<R> &read, const T *z, int64_t k, int64_t n, R *to) {
  using V = Vec<R>;
  const R lowest = static_cast<R>(-kInf);
  each_vector(z + k, n, R(0), [&](V v, int64_t i) { store(to + i, read.value(v)); });
  if (const uint8_t *mask = read.of.class_mask)
    for (int64_t i = 0; i < n; ++i) to[i] = mask[k + i] ? to[i] : lowest;
  for (int64_t i = n; i % (4 * Lanes<V>::n); ++i) to[i] = lowest;
}

template <class R> inline void read_transformed(const Reader<R> &read, int64_t classes, R *tile) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  if (read.plain && !read.of.class_mask) return;
  for (int64_t k = 0; k < classes; ++k)
    store(tile + k * L, read.gone(k) ? splat<V>(static_cast<R>(-kInf)) : read.value(load<V>(tile + k * L)));
}

// ---- the sums of a row
// -----------------------------------------------------------------------------------------------

// V is double for one row (top exact in it), a vector for as many rows as it has lanes.
template <class V> struct Sums {
  V top, others, distance;
  V total() const { // NaN for a row that has no probabilities: all -inf, or one of +inf
    return absolute(top) == Real<V>(kInf) ? splat<V>(Real<V>(kNaN)) : others + Real<V>(1);
  }
  V log_total() const { return total() == total() ? log1p(others) : total(); }
  V lse() const { return top + log1p(others); }
  V entropy() const { return log_total() + distance / total(); }
};

// What multiplies exp(z - top) in the distance: finite where the exponential is 0.
template <class V> inline V capped(V below) { return min_or_second(below, splat<V>(Real<V>(1e30))); }

template <class R> struct RowSums : Sums<double> {
  int64_t lead = 0, greater = 0; // first of the largest; how many exceed the threshold
};

// Scratch of one row; a vector may be loaded from any of its elements.
template <class R> struct RowTile {
  alignas(64) R at[kBlock<R> + Lanes<Vec<R>>::n];
};

// A contiguous row. Float lanes add four terms, the rest is double. With kKeep a row of one
// block leaves exp(z - top) in the tile.
template <bool kDistance, bool kKeep, class T, class R>
inline RowSums<R> sums_along(const Reader<R> &read, const T *z, int64_t classes, R threshold, RowTile<R> &scratch) {
  using V = Vec<R>;
  using I = decltype(Int<V>{}[0] + 0);
  constexpr int L = Lanes<V>::n;
  const R lowest = static_cast<R>(-kInf);
  R *tile = scratch.at;
  RowSums<R> row{{-kInf, 0.0, 0.0}};
  for (int64_t start = 0; start < classes; start += kBlock<R>) {
    const int64_t n = classes - start < kBlock<R> ? classes - start : kBlock<R>;
    read_block(read, z, start, n, tile);
    V best = splat<V>(lowest);
    Int<V> at{}, more{};
    for (int64_t i = 0; i < n; i += L) {
      const V v = load<V>(tile + i);
      const auto better = v > best;
      best = better ? v : best;
      at = better ? Int<V>{} + static_cast<I>(i) : at;
      more -= v > threshold;
    }
    const R top = max_lanes(best);
    int64_t lead = n;
    for (int i = 0; i < L; ++i) {
      row.greater += more[i];
      if (best[i] == top && at[i] + i < lead) lead = at[i] + i;
    }
    if (top > row.top) { // the lead so far becomes one of the others
      if (row.top > -kInf) {
        const double fall = static_cast<double>(top) - row.top, e = exp(-fall);
        row.distance = e * (row.distance + (row.others + 1.0) * fall);
        row.others = e * (row.others + 1.0);
      }
      row.top = top, row.lead = start + lead;
      tile[lead] = lowest;
    }
    const V one = splat<V>(R(1)), shift = splat<V>(row.top == -kInf ? R(0) : static_cast<R>(row.top));
    VecD sum{}, distance{};
    for (int64_t i = 0; i < n; i += 4 * L) {
      V e[4], cost[4];
      for (int j = 0; j < 4; ++j) {
        const V v = load<V>(tile + i + j * L), below = shift - v;
        e[j] = v == shift ? one : exp(-below); // inf beside inf is not NaN
        cost[j] = capped(below) * e[j];
        if constexpr (kKeep) store(tile + i + j * L, e[j]);
      }
      sum += wide((e[0] + e[1]) + (e[2] + e[3]));
      if constexpr (kDistance) distance += wide((cost[0] + cost[1]) + (cost[2] + cost[3]));
    }
    row.others += sum_lanes(sum);
    if constexpr (kDistance) row.distance += sum_lanes(distance);
  }
  if (kKeep && row.lead < kBlock<R>) tile[row.lead] = R(1);
  return row;
}

template <class R> struct GroupSums : Sums<Vec<R>> {
  Vec<R> target; // its logit
  Int<Vec<R>> lead, greater;
};

// One row per lane, tile[k][lane]. exps: if not null, receives exp(z - top).
template <bool kDistance, class R>
inline GroupSums<R> sums_across(const R *tile, int64_t classes, Int<Vec<R>> target, R *exps) {
  using V = Vec<R>;
  using I = decltype(Int<V>{}[0] + 0);
  constexpr int L = Lanes<V>::n;
  const V lowest = splat<V>(static_cast<R>(-kInf)), one = splat<V>(R(1));
  GroupSums<R> row{{lowest, V{}, V{}}, V{}, {}, {}};
  for (int64_t k = 0; k < classes; ++k) {
    const V v = load<V>(tile + k * L);
    const auto better = v > row.top;
    row.top = better ? v : row.top;
    row.lead = better ? Int<V>{} + static_cast<I>(k) : row.lead;
    row.target = target == static_cast<I>(k) ? v : row.target;
  }
  const V shift = row.top == lowest ? V{} : row.top;
  Compensated<V> others, distances;
  for (int64_t start = 0; start < classes; start += 16) { // 16 terms at a time
    const int64_t stop = classes - start < 16 ? classes : start + 16;
    V sum{}, distance{};
    for (int64_t k = start; k < stop; ++k) {
      const V v = load<V>(tile + k * L), below = shift - v;
      const V e = v == shift ? one : exp(-below);
      const auto leads = row.lead == static_cast<I>(k);
      sum += leads ? V{} : e;
      if constexpr (kDistance) distance += leads ? V{} : capped(below) * e;
      if constexpr (kDistance) row.greater -= v > row.target;
      if (exps) store(exps + k * L, e);
    }
    others.add(sum);
    if constexpr (kDistance) distances.add(distance);
  }
  row.others = others.total();
  if constexpr (kDistance) row.distance = distances.total();
  return row;
}

} // namespace NEGLOG_ISA
} // namespace neglog
