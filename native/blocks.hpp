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

template <class T> inline void widen_all(const T *from, int n, double *to) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<double>(from[i]);
}
template <class T> inline void widen_halves(const T *from, int n, double *to) {
  constexpr int lanes = Lanes<VecF>::n;
  float wide[lanes];
  int i = 0;
  for (; i + lanes <= n; i += lanes) {
    store(wide, Storage<T>::load(from + i));
    widen_all(wide, lanes, to + i);
  }
  for (; i < n; ++i) to[i] = widen_one(from[i]);
}

inline void load_block(const void *from, Element type, int64_t at, int n, double *to) {
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

inline void store_block(void *to, Element type, int64_t at, int n, const double *from) {
  switch (type) {
  case Element::f16: {
    float16 *p = static_cast<float16 *>(to) + at;
    for (int i = 0; i < n; ++i) p[i].raw = round_to_f16(to_odd(from[i]));
    return;
  }
  case Element::bf16: {
    bfloat16 *p = static_cast<bfloat16 *>(to) + at;
    for (int i = 0; i < n; ++i) p[i].raw = round_to_bf16(to_odd(from[i]));
    return;
  }
  case Element::f32: {
    float *p = static_cast<float *>(to) + at;
    for (int i = 0; i < n; ++i) p[i] = static_cast<float>(from[i]);
    return;
  }
  default: __builtin_memcpy(static_cast<double *>(to) + at, from, sizeof(double) * n);
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
inline void fill_pattern(const Pattern &pattern, int64_t at, int n, double *to) {
  int64_t k = at % pattern.period;
  if (pattern.period < 32) { // too short to load in one go
    double values[32];
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
inline void fill_entries(const Entries &entries, int64_t at, int n, double *to) {
  if (entries.run == 1) {
    if (entries.weight)
      load_block(entries.weight, entries.weight_type, at, n, to);
    else
      for (int i = 0; i < n; ++i) to[i] = 1.0;
    if (entries.mask)
      for (int i = 0; i < n; ++i) to[i] = entries.mask[at + i] ? to[i] : 0.0;
    return;
  }
  for (int i = 0; i < n;) {
    const int64_t entry = (at + i) / entries.run, stop = (entry + 1) * entries.run - at;
    const bool masked = entries.mask && !entries.mask[entry];
    const double weight = masked ? 0.0 : !entries.weight ? 1.0 : load_value(entries.weight, entries.weight_type, entry);
    for (; i < n && i < stop; ++i) to[i] = weight;
  }
}

// The product of an entry's weights, 0 where nothing takes part: not even a NaN weight is read there.
inline double combined(double entry, double weight) { return (entry == 0.0) | (weight == 0.0) ? 0.0 : entry * weight; }

inline int whole_vectors(int n) { return (n + Lanes<VecD>::n - 1) / Lanes<VecD>::n * Lanes<VecD>::n; }

// Sum of x[0 ... n) in an order that n alone fixes; n a number of whole vectors.
inline double sum_block(const double *x, int n) {
  VecD sum{};
  for (int i = 0; i < n; i += Lanes<VecD>::n) sum += load<VecD>(x + i);
  return sum_lanes(sum);
}

} // namespace NEGLOG_ISA
} // namespace neglog
