// Rows that lie one after another, as lanes side by side: squares are transposed in registers.
#pragma once

#include "simd.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace detail {
// In every pair of vectors whose numbers differ in bit S, the lanes whose numbers do: they change places.
template <int S, class V> inline void swap_bit(V *m) {
  constexpr int L = Lanes<V>::n;
  if constexpr (S < L) {
    Int<V> low, high;
    for (int i = 0; i < L; ++i) {
      low[i] = i & S ? L + (i ^ S) : i;
      high[i] = i & S ? L + i : i | S;
    }
    for (int i = 0; i < L; ++i)
      if (!(i & S)) {
        const V a = m[i], b = m[i | S];
        m[i] = __builtin_shuffle(a, b, low);
        m[i | S] = __builtin_shuffle(a, b, high);
      }
    swap_bit<2 * S>(m);
  }
}
} // namespace detail

template <class V> inline void transpose(V (&m)[Lanes<V>::n]) { detail::swap_bit<1>(m); }

constexpr int kSquareClasses = 8; // fewer are moved one by one

// Parts of a square are moved one by one, unless they are large enough for masked loads and stores to pay.
constexpr bool kMasks = kVectorBytes == 64;
inline bool by_square(int some, int lanes) { return some == lanes || (kMasks && some >= 4); }

// tile[k * width + i] = z[i * step + k] for one row per lane i, k < n
template <class T, class R> inline void load_rows(const T *z, int64_t step, int64_t n, R *tile, int64_t width) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  for (int64_t k = 0; k < n; k += L) {
    const int some = n - k < L ? static_cast<int>(n - k) : L;
    const T *from = z + k;
    R *to = tile + k * width;
    if (!by_square(some, L)) {
      for (int j = 0; j < some; ++j)
        for (int i = 0; i < L; ++i) to[j * width + i] = Storage<T>::get(from + i * step + j);
      return;
    }
    V m[L];
    for (int i = 0; i < L; ++i)
      if (!kMasks || some == L)
        m[i] = Storage<T>::load(from + i * step);
      else
        m[i] = Storage<T>::load_first(from + i * step, some, R(0));
    transpose(m);
    for (int j = 0; j < some; ++j) store(to + j * width, m[j]);
  }
}
// The way back.
template <class T, class R> inline void store_rows(const R *tile, int64_t width, int64_t step, int64_t n, T *g) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  for (int64_t k = 0; k < n; k += L) {
    const int some = n - k < L ? static_cast<int>(n - k) : L;
    const R *from = tile + k * width;
    T *to = g + k;
    if (!by_square(some, L)) {
      for (int i = 0; i < L; ++i)
        for (int j = 0; j < some; ++j) Storage<T>::put(to + i * step + j, from[j * width + i]);
      return;
    }
    V m[L];
    for (int j = 0; j < L; ++j) m[j] = j < some ? load<V>(from + j * width) : V{};
    transpose(m);
    for (int i = 0; i < L; ++i)
      if (!kMasks || some == L)
        Storage<T>::store(to + i * step, m[i]);
      else
        Storage<T>::store_first(to + i * step, some, m[i]);
  }
}

} // namespace NEGLOG_ISA
} // namespace neglog
