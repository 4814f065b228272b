// Random bits by counting: what is drawn depends on where it is wanted, not on who draws it or when.
#pragma once

#include "simd.hpp"

namespace neglog {
namespace NEGLOG_ISA {

typedef uint64_t VecU64 __attribute__((vector_size(kVectorBytes)));

// The products of the low halves of 64-bit lanes.
inline VecU64 multiply_low_halves(VecU64 a, VecU64 b) {
#if defined(__AVX512F__)
  return bits<VecU64>(_mm512_maskz_mul_epu32(0xff, bits<__m512i>(a), bits<__m512i>(b)));
#elif defined(__AVX2__)
  return bits<VecU64>(_mm256_mul_epu32(bits<__m256i>(a), bits<__m256i>(b)));
#elif defined(__SSE2__)
  return bits<VecU64>(_mm_mul_epu32(bits<__m128i>(a), bits<__m128i>(b)));
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

constexpr int kWords = 32; // of one call: those of eight counters

// Philox4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
// Counter (8 block + i, row, stream's low half, stream's high half), i = 0 ... 7, under the key's two halves (low
// first) gives four words; out = words 0 and 1 of i = 0, 0 and 1 of i = 1 ..., then words 2 and 3 in the same way, on
// every instruction set. Passes BigCrush (there). Domain: block < 2^29. 2.2 instructions a word with AVX-512.
inline void philox(uint64_t key, uint64_t stream, uint32_t row, uint32_t block, uint32_t *out) {
  constexpr int lanes = kVectorBytes / 8;
  constexpr uint64_t low = 0xffffffff;
  for (int first = 0; first < 8; first += lanes) {
    VecU64 c0 = VecU64{} + 8 * uint64_t{block} + static_cast<uint64_t>(first), c1 = VecU64{} + row,
           c2 = VecU64{} + (stream & low), c3 = VecU64{} + (stream >> 32);
    for (int i = 0; i < lanes; ++i) c0[i] += static_cast<uint64_t>(i);
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) { // the high halves of c0 ... c3 are left as they come: nobody reads them
      const VecU64 p0 = multiply_low_halves(c0, VecU64{} + 0xD2511F53),
                   p1 = multiply_low_halves(c2, VecU64{} + 0xCD9E8D57);
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c3 = p0;
      k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    const VecU64 front = (c0 & low) | (c1 << 32), back = (c2 & low) | (c3 << 32);
    __builtin_memcpy(out + 2 * first, &front, sizeof front);
    __builtin_memcpy(out + kWords / 2 + 2 * first, &back, sizeof back);
  }
}

} // namespace NEGLOG_ISA
} // namespace neglog
