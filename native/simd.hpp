// Vectors of the instruction set that this translation unit is compiled for.
//
// Everything here, in math.hpp and in the loops lives in namespace neglog::NEGLOG_ISA and is compiled once per
// instruction set (CMakeLists.txt). GCC's and Clang's vector types carry the arithmetic, comparisons and `m ? a : b`,
// so one template serves scalars and vectors; only fused multiply-add and scaling by 2^n name an instruction.
//
// No standard library header may be included below: an inline std:: function compiled here with AVX-512 could be
// the copy that the linker keeps for everybody (tests/native/test_symbols.py looks for such leaks).
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#ifndef NEGLOG_ISA
#error "NEGLOG_ISA names the namespace of this instruction set"
#endif

namespace neglog {
namespace NEGLOG_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16; // SSE2, NEON
#endif

typedef float VecF __attribute__((vector_size(kVectorBytes)));
typedef double VecD __attribute__((vector_size(kVectorBytes)));
typedef int32_t VecI32 __attribute__((vector_size(kVectorBytes)));
typedef int64_t VecI64 __attribute__((vector_size(kVectorBytes)));
typedef uint32_t VecU32 __attribute__((vector_size(kVectorBytes)));
// as many lanes as VecD / VecF, for loads that widen and stores that narrow
typedef float HalfF __attribute__((vector_size(kVectorBytes / 2)));
typedef int32_t HalfI32 __attribute__((vector_size(kVectorBytes / 2)));
typedef uint16_t HalfU16 __attribute__((vector_size(kVectorBytes / 2)));

// What a scalar or vector type is made of. Int has the width of Real; its comparisons' masks select with `m ? a : b`.
template <class V> struct Lanes;
template <> struct Lanes<float> {
  using Real = float;
  using Int = int32_t;
  static constexpr int n = 1;
};
template <> struct Lanes<double> {
  using Real = double;
  using Int = int64_t;
  static constexpr int n = 1;
};
template <> struct Lanes<VecF> {
  using Real = float;
  using Int = VecI32;
  static constexpr int n = kVectorBytes / 4;
};
template <> struct Lanes<VecD> {
  using Real = double;
  using Int = VecI64;
  static constexpr int n = kVectorBytes / 8;
};
template <class V> using Real = typename Lanes<V>::Real;
template <class V> using Int = typename Lanes<V>::Int;

template <class Real> struct VectorOf;
template <> struct VectorOf<float> {
  using type = VecF;
};
template <> struct VectorOf<double> {
  using type = VecD;
};
template <class Real> using Vec = typename VectorOf<Real>::type;

constexpr double kInf = __builtin_inf();
constexpr double kNaN = __builtin_nan("");

template <class V> inline V splat(Real<V> x) {
  if constexpr (Lanes<V>::n == 1)
    return x;
  else
    return V{} + x;
}

template <class To, class From> inline To bits(From x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, x);
}

// a * b + c, rounded once where the instruction set fuses. Never used where the result must not depend on that.
inline float madd(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
inline double madd(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}
inline VecF madd(VecF a, VecF b, VecF c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_NEON)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
inline VecD madd(VecD a, VecD b, VecD c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(a, b, c);
#elif defined(__ARM_NEON)
  return vfmaq_f64(c, a, b);
#else
  return a * b + c;
#endif
}

// As the comparison says: where either is NaN the result is b. That is what x86's max instruction does, but GCC 12
// makes a comparison and a masked move of it.
template <class V> inline V max_or_second(V a, V b) { return a > b ? a : b; }
template <class V> inline V min_or_second(V a, V b) { return a < b ? a : b; }
#if defined(__AVX512F__)
template <> inline VecF max_or_second(VecF a, VecF b) { return _mm512_maskz_max_ps(0xffff, a, b); }
template <> inline VecD max_or_second(VecD a, VecD b) { return _mm512_maskz_max_pd(0xff, a, b); }
template <> inline VecF min_or_second(VecF a, VecF b) { return _mm512_maskz_min_ps(0xffff, a, b); }
template <> inline VecD min_or_second(VecD a, VecD b) { return _mm512_maskz_min_pd(0xff, a, b); }
#elif defined(__AVX2__)
template <> inline VecF max_or_second(VecF a, VecF b) { return _mm256_max_ps(a, b); }
template <> inline VecD max_or_second(VecD a, VecD b) { return _mm256_max_pd(a, b); }
template <> inline VecF min_or_second(VecF a, VecF b) { return _mm256_min_ps(a, b); }
template <> inline VecD min_or_second(VecD a, VecD b) { return _mm256_min_pd(a, b); }
#elif defined(__SSE2__)
template <> inline VecF max_or_second(VecF a, VecF b) { return _mm_max_ps(a, b); }
template <> inline VecD max_or_second(VecD a, VecD b) { return _mm_max_pd(a, b); }
template <> inline VecF min_or_second(VecF a, VecF b) { return _mm_min_ps(a, b); }
template <> inline VecD min_or_second(VecD a, VecD b) { return _mm_min_pd(a, b); }
#endif

template <class V> inline V absolute(V x) {
  if constexpr (sizeof(Real<V>) == 4)
    return bits<V>(bits<Int<V>>(x) & 0x7fffffff);
  else
    return bits<V>(bits<Int<V>>(x) & 0x7fffffffffffffffLL);
}

// the square root, rounded to nearest
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline VecD sqrt(VecD x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_pd(0xff, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_pd(x);
#elif defined(__SSE2__)
  return _mm_sqrt_pd(x);
#else
  for (int i = 0; i < Lanes<VecD>::n; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

template <class V> inline V load(const Real<V> *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V> inline void store(Real<V> *p, V v) { __builtin_memcpy(p, &v, sizeof v); }

// The first n lanes; the others hold `pad`. Rows that end inside a vector go through the same arithmetic as others.
#if defined(__AVX512F__)
template <class V> inline V load_first(const Real<V> *p, int n, Real<V> pad) {
  if constexpr (sizeof(Real<V>) == 4)
    return _mm512_mask_loadu_ps(splat<V>(pad), static_cast<__mmask16>((1u << n) - 1), p);
  else
    return _mm512_mask_loadu_pd(splat<V>(pad), static_cast<__mmask8>((1u << n) - 1), p);
}
template <class V> inline void store_first(Real<V> *p, int n, V v) {
  if constexpr (sizeof(Real<V>) == 4)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  else
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
}
#else
template <class V> inline V load_first(const Real<V> *p, int n, Real<V> pad) {
  Real<V> buffer[Lanes<V>::n];
  for (int i = 0; i < Lanes<V>::n; ++i) buffer[i] = i < n ? p[i] : pad;
  return load<V>(buffer);
}
template <class V> inline void store_first(Real<V> *p, int n, V v) {
  Real<V> buffer[Lanes<V>::n];
  store(buffer, v);
  for (int i = 0; i < n; ++i) p[i] = buffer[i];
}
#endif

// Halves in registers: through memory, a load across two stores would wait for both.
#if defined(__AVX512F__)
#define NEGLOG_LOW 0, 1, 2, 3, 4, 5, 6, 7
#define NEGLOG_HIGH 8, 9, 10, 11, 12, 13, 14, 15
#elif defined(__AVX2__)
#define NEGLOG_LOW 0, 1, 2, 3
#define NEGLOG_HIGH 4, 5, 6, 7
#else
#define NEGLOG_LOW 0, 1
#define NEGLOG_HIGH 2, 3
#endif
inline HalfF low_half(VecF v) { return __builtin_shufflevector(v, v, NEGLOG_LOW); }
inline HalfF high_half(VecF v) { return __builtin_shufflevector(v, v, NEGLOG_HIGH); }
inline VecI32 join(HalfI32 low, HalfI32 high) { return __builtin_shufflevector(low, high, NEGLOG_LOW, NEGLOG_HIGH); }
#undef NEGLOG_LOW
#undef NEGLOG_HIGH

inline VecD widen(HalfF v) { return __builtin_convertvector(v, VecD); }
inline HalfF narrow(VecD v) { return __builtin_convertvector(v, HalfF); }

// Sum of the lanes in a fixed order (a tree), in the precision of the lanes.
template <class V> inline V swap_lanes(V v, int distance) { // lane i of the result is lane i ^ distance
  Int<V> from;
  for (int i = 0; i < Lanes<V>::n; ++i) from[i] = i ^ distance;
  return __builtin_shuffle(v, from);
}
template <class V> inline Real<V> sum_lanes(V v) {
#pragma GCC unroll 4
  for (int half = Lanes<V>::n / 2; half > 0; half /= 2) v += swap_lanes(v, half);
  return v[0];
}
template <class V> inline Real<V> max_lanes(V v) {
#pragma GCC unroll 4
  for (int half = Lanes<V>::n / 2; half > 0; half /= 2) v = max_or_second(swap_lanes(v, half), v);
  return v[0];
}
// A comparison's mask as bits, lane 0 lowest.
template <class M> inline uint32_t lane_bits(M mask) {
#if defined(__AVX512F__)
  if constexpr (sizeof mask[0] == 8)
    return _mm512_movepi64_mask(bits<__m512i>(mask));
  else
    return _mm512_movepi32_mask(bits<__m512i>(mask));
#elif defined(__AVX2__)
  if constexpr (sizeof mask[0] == 8)
    return static_cast<uint32_t>(_mm256_movemask_pd(bits<__m256d>(mask)));
  else
    return static_cast<uint32_t>(_mm256_movemask_ps(bits<__m256>(mask)));
#elif defined(__SSE2__)
  if constexpr (sizeof mask[0] == 8)
    return static_cast<uint32_t>(_mm_movemask_pd(bits<__m128d>(mask)));
  else
    return static_cast<uint32_t>(_mm_movemask_ps(bits<__m128>(mask)));
#else
  uint32_t result = 0;
  for (size_t i = 0; i < sizeof(M) / sizeof mask[0]; ++i) result |= static_cast<uint32_t>(mask[i] & 1) << i;
  return result;
#endif
}
// Whether a lane of a mask is set: one test, where the words would be moved to registers one by one.
template <class M> inline bool any(M mask) {
  if constexpr (sizeof(M) == 1) {
    return mask;
  } else {
#if defined(__AVX2__) || defined(__SSE2__)
    return lane_bits(mask) != 0;
#else
    int64_t words[sizeof(M) / 8];
    __builtin_memcpy(words, &mask, sizeof mask);
    int64_t all = 0;
    for (size_t i = 0; i < sizeof(M) / 8; ++i) all |= words[i];
    return all != 0;
#endif
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Half precision is storage only: widened exactly when loaded, rounded once (to nearest, ties to even) when stored.

struct float16 {
  uint16_t raw;
};
struct bfloat16 {
  uint16_t raw;
};

template <class U> inline auto widen_f16(U h) { // h: uint32_t or VecU32 whose low halves hold float16
  // Shift the exponent into float's place and multiply by 2^112: exact for normal and subnormal numbers alike.
  const U magnitude = (h & 0x7fff) << 13;
  const U special = magnitude >= U{} + 0x0f800000; // inf, nan: exponent of all ones
  if constexpr (sizeof(U) == 4) {
    const float scaled = bits<float>(magnitude) * 0x1p112f;
    const U value = magnitude >= 0x0f800000 ? (magnitude | 0x7f800000) : bits<U>(scaled);
    return bits<float>(value | ((h & 0x8000) << 16));
  } else {
    const VecF scaled = bits<VecF>(magnitude) * 0x1p112f;
    const U value = special ? (magnitude | 0x7f800000) : bits<U>(scaled);
    return bits<VecF>(value | ((h & 0x8000) << 16));
  }
}
inline float widen_one(float16 x) { return widen_f16(uint32_t{x.raw}); }
inline float widen_one(bfloat16 x) { return bits<float>(uint32_t{x.raw} << 16); }

inline uint16_t round_to_bf16(float x) {
  const uint32_t u = bits<uint32_t>(x);
  if ((u & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((u >> 16) | 0x40); // NaN stays NaN
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
inline uint16_t round_to_f16(float x) {
  const uint32_t u = bits<uint32_t>(x), sign = (u >> 16) & 0x8000, magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00); // 65520 and above round to inf
  if (magnitude < 0x38800000) // below 2^-14: adding 0.5 leaves units of 2^-24 in the low bits, correctly rounded
    return static_cast<uint16_t>(sign | (bits<uint32_t>(bits<float>(magnitude) + 0.5f) - 0x3f000000));
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13));
}

// The first n of a vector's worth of halves; the others hold 0.
inline HalfU16 load_halves(const void *p, int n) {
#if defined(__AVX512F__)
  return bits<HalfU16>(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p));
#else
  HalfU16 h{};
  __builtin_memcpy(&h, p, static_cast<size_t>(n) * sizeof h[0]);
  return h;
#endif
}
template <class V> inline V keep_first(V v, int n, Real<V> pad) { // lanes from n on become `pad`
  Int<V> lane;
  for (int i = 0; i < Lanes<V>::n; ++i) lane[i] = i;
  return lane < (Int<V>{} + n) ? v : splat<V>(pad);
}

// Element types as they lie in memory: load(), load_first(), store() in the arithmetic type Compute.
template <class T> struct Storage { // float, double
  using Compute = T;
  using V = Vec<T>;
  static V load(const T *p) { return NEGLOG_ISA::load<V>(p); }
  static V load_first(const T *p, int n, T pad) { return NEGLOG_ISA::load_first<V>(p, n, pad); }
  static void store(T *p, V v) { NEGLOG_ISA::store(p, v); }
  static void store_first(T *p, int n, V v) { NEGLOG_ISA::store_first(p, n, v); }
  static T get(const T *p) { return *p; }
  static void put(T *p, T x) { *p = x; }
};
template <class T> struct Storage<const T> : Storage<T> {};
template <> struct Storage<bfloat16> {
  using Compute = float;
  static VecF widen(HalfU16 h) { return bits<VecF>(__builtin_convertvector(h, VecU32) << 16); }
  static HalfU16 narrow(VecF v) {
    const VecU32 u = bits<VecU32>(v);
    const VecU32 rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
    return __builtin_convertvector(v != v ? (u >> 16) | 0x40 : rounded, HalfU16);
  }
  static VecF load(const bfloat16 *p) {
    HalfU16 h;
    __builtin_memcpy(&h, p, sizeof h);
    return widen(h);
  }
  static VecF load_first(const bfloat16 *p, int n, float pad) { return keep_first(widen(load_halves(p, n)), n, pad); }
  static void store_first(bfloat16 *p, int n, VecF v) {
    const HalfU16 h = narrow(v);
    __builtin_memcpy(static_cast<void *>(p), &h, static_cast<size_t>(n) * sizeof *p);
  }
  static void store(bfloat16 *p, VecF v) { store_first(p, Lanes<VecF>::n, v); }
  static float get(const bfloat16 *p) { return widen_one(*p); }
  static void put(bfloat16 *p, float x) { p->raw = round_to_bf16(x); }
};
template <> struct Storage<float16> {
  using Compute = float;
  static VecF widen(HalfU16 h) {
#if defined(__AVX512F__)
    return _mm512_maskz_cvtph_ps(0xffff, bits<__m256i>(h));
#elif defined(__F16C__)
    return _mm256_cvtph_ps(bits<__m128i>(h));
#else
    return widen_f16(__builtin_convertvector(h, VecU32));
#endif
  }
  static HalfU16 narrow(VecF v) {
#if defined(__AVX512F__)
    return bits<HalfU16>(_mm512_maskz_cvtps_ph(0xffff, v, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
    return bits<HalfU16>(_mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
#else
    HalfU16 h;
    for (int i = 0; i < Lanes<VecF>::n; ++i) h[i] = round_to_f16(v[i]);
    return h;
#endif
  }
  static VecF load(const float16 *p) {
    HalfU16 h;
    __builtin_memcpy(&h, p, sizeof h);
    return widen(h);
  }
  static VecF load_first(const float16 *p, int n, float pad) { return keep_first(widen(load_halves(p, n)), n, pad); }
  static void store_first(float16 *p, int n, VecF v) {
    const HalfU16 h = narrow(v);
    __builtin_memcpy(static_cast<void *>(p), &h, static_cast<size_t>(n) * sizeof *p);
  }
  static void store(float16 *p, VecF v) { store_first(p, Lanes<VecF>::n, v); }
  static float get(const float16 *p) { return widen_one(*p); }
  static void put(float16 *p, float x) { p->raw = round_to_f16(x); }
};

} // namespace NEGLOG_ISA
} // namespace neglog
