// Blocks of doubles in the first-level cache: loads that widen any element type, stores that round once.
#pragma once

#include "losses.hpp"
#include "simd.hpp"

namespace neglog {
namespace NEGLOG_ISA {

constexpr int kTile = 512; // 4 KB: six of them fit the smallest first-level cache in use (32 KB)

// Rounds to odd: a later rounding to fewer than 22 bits then gives what one rounding of x would have given
// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008, theorem 1).
inline float to_odd(double x) {
  const float f = static_cast<float>(x);
  if (static_cast<double>(f) == x || x != x) return f;
  const uint32_t u = bits<uint32_t>(f);
  const bool away = absolute(static_cast<double>(f)) > absolute(x);
  return bits<float>((u - (away ? 1 : 0)) | 1);
}

template <class T, class R> inline void widen_all(const T *from, int n, R *to) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<R>(from[i]);
}
template <class T, class R> inline void widen_halves(const T *from, int n, R *to) {
  constexpr int lanes = Lanes<VecF>::n;
  float part[lanes];
  int i = 0;
  for (; i + lanes <= n; i += lanes) {
    store(part, Storage<T>::load(from + i));
    widen_all(part, lanes, to + i);
  }
  for (; i < n; ++i) to[i] = widen_one(from[i]);
}

template <class R> constexpr Element kElement = sizeof(R) == 4 ? Element::f32 : Element::f64;

// R: float, or double
template <class R> inline void load_block(const void *from, Element type, int64_t at, int n, R *to) {
  switch (type) {
  case Element::u8: return widen_all(static_cast<const uint8_t *>(from) + at, n, to);
  case Element::i32: return widen_all(static_cast<const int32_t *>(from) + at, n, to);
  case Element::i64: return widen_all(static_cast<const int64_t *>(from) + at, n, to);
  case Element::f16: return widen_halves(static_cast<const float16 *>(from) + at, n, to);
  case Element::bf16: return widen_halves(static_cast<const bfloat16 *>(from) + at, n, to);
  case Element::f32: return widen_all(static_cast<const float *>(from) + at, n, to);
  case Element::f64: return widen_all(static_cast<const double *>(from) + at, n, to);
  }
}

inline double load_value(const void *from, Element type, int64_t at) {
  double x = 0.0;
  load_block(from, type, at, 1, &x);
  return x;
}

inline int64_t load_index(const void *from, Element type, int64_t at) {
  switch (type) {
  case Element::u8: return static_cast<const uint8_t *>(from)[at];
  case Element::i32: return static_cast<const int32_t *>(from)[at];
  default: return static_cast<const int64_t *>(from)[at];
  }
}

template <class T> inline void narrow_halves(const float *from, int n, T *to) {
  constexpr int lanes = Lanes<VecF>::n;
  int i = 0;
  for (; i + lanes <= n; i += lanes) Storage<T>::store(to + i, load<VecF>(from + i));
  for (; i < n; ++i) Storage<T>::put(to + i, from[i]);
}
template <class T> inline void narrow_halves(const double *from, int n, T *to) {
  for (int i = 0; i < n; ++i) Storage<T>::put(to + i, to_odd(from[i]));
}

template <class R> inline void store_block(void *to, Element type, int64_t at, int n, const R *from) {
  switch (type) {
  case Element::f16: return narrow_halves(from, n, static_cast<float16 *>(to) + at);
  case Element::bf16: return narrow_halves(from, n, static_cast<bfloat16 *>(to) + at);
  case Element::f32: {
    float *p = static_cast<float *>(to) + at;
    for (int i = 0; i < n; ++i) p[i] = static_cast<float>(from[i]);
    return;
  }
  default: {
    double *p = static_cast<double *>(to) + at;
    for (int i = 0; i < n; ++i) p[i] = static_cast<double>(from[i]);
  }
  }
}

inline int element_size(Element type) {
  switch (type) {
  case Element::u8: return 1;
  case Element::f16:
  case Element::bf16: return 2;
  case Element::i32:
  case Element::f32: return 4;
  default: return 8;
  }
}

// Losses are float32 for every input narrower than float64.
inline Element loss_type(Element input) { return input == Element::f64 ? Element::f64 : Element::f32; }

// The weights of elements [at, at + n).
template <class R> inline void fill_pattern(const Pattern &pattern, int64_t at, int n, R *to) {
  int64_t k = at % pattern.period;
  if (pattern.period < 32) { // too short to load in one go
    R values[32];
    load_block(pattern.values, pattern.type, 0, static_cast<int>(pattern.period), values);
    for (int i = 0; i < n; ++i) {
      to[i] = values[k];
      if (++k == pattern.period) k = 0;
    }
    return;
  }
  for (int i = 0, m; i < n; i += m, k = 0) {
    m = pattern.period - k < n - i ? static_cast<int>(pattern.period - k) : n - i;
    load_block(pattern.values, pattern.type, k, m, to + i);
  }
}

// The weights of the entries of elements [at, at + n), 0 where masked.
template <class R> inline void fill_entries(const Entries &entries, int64_t at, int n, R *to) {
  if (entries.run == 1) {
    if (entries.weight)
      load_block(entries.weight, entries.weight_type, at, n, to);
    else
      for (int i = 0; i < n; ++i) to[i] = R(1);
    if (entries.mask)
      for (int i = 0; i < n; ++i) to[i] = entries.mask[at + i] ? to[i] : R(0);
    return;
  }
  for (int i = 0; i < n;) {
    const int64_t entry = (at + i) / entries.run, stop = (entry + 1) * entries.run - at;
    R weight = R(!entries.mask || entries.mask[entry]);
    if (weight != R(0) && entries.weight) load_block(entries.weight, entries.weight_type, entry, 1, &weight);
    for (; i < n && i < stop; ++i) to[i] = weight;
  }
}

// The product of an entry's weights, 0 where nothing takes part: not even a NaN weight is read there.
template <class R> inline R combined(R entry, R weight) {
  return (entry == R(0)) | (weight == R(0)) ? R(0) : entry * weight;
}

inline int whole_vectors(int n) { return (n + Lanes<VecD>::n - 1) / Lanes<VecD>::n * Lanes<VecD>::n; }

// Sum of x[0 ... n) in an order that n alone fixes; n a number of whole vectors.
inline double sum_block(const double *x, int n) {
  VecD sum{};
  for (int i = 0; i < n; i += Lanes<VecD>::n) sum += load<VecD>(x + i);
  return sum_lanes(sum);
}

} // namespace NEGLOG_ISA
} // namespace neglog
