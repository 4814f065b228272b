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

constexpr int kWords = 32; // of a row and a block: those of eight counters

// Philox4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
// Counter (8 block + i, row, stream's low half, stream's high half), i = 0 ... 7, under the key's two halves (low
// first) gives four words; out = words 0 and 1 of i = 0, 0 and 1 of i = 1 ..., then words 2 and 3 in the same way, on
// every instruction set. Passes BigCrush (there). Domain: block < 2^29. 2.2 instructions a word with AVX-512.
// Rows row, row + 1 ... are made side by side, as each round waits for the one before; theirs is out + step ...
template <int Rows>
inline void philox(uint64_t key, uint64_t stream, uint32_t row, uint32_t block, uint32_t *out, int64_t step) {
  constexpr int lanes = kVectorBytes / 8;
  constexpr uint64_t low = 0xffffffff;
  for (int first = 0; first < 8; first += lanes) {
    VecU64 lane, c0[Rows], c1[Rows], c2[Rows], c3[Rows];
    for (int i = 0; i < lanes; ++i) lane[i] = static_cast<uint64_t>(first + i);
    for (int r = 0; r < Rows; ++r) {
      c0[r] = lane + 8 * uint64_t{block};
      c1[r] = VecU64{} + (row + static_cast<uint32_t>(r)), c2[r] = VecU64{} + (stream & low);
      c3[r] = VecU64{} + (stream >> 32);
    }
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) { // the high halves of c0 ... c3 are left as they come: nobody reads them
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        const VecU64 p0 = multiply_low_halves(c0[r], VecU64{} + 0xD2511F53),
                     p1 = multiply_low_halves(c2[r], VecU64{} + 0xCD9E8D57);
        c0[r] = (p1 >> 32) ^ c1[r] ^ k0;
        c1[r] = p1;
        c2[r] = (p0 >> 32) ^ c3[r] ^ k1;
        c3[r] = p0;
      }
      k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    for (int r = 0; r < Rows; ++r) {
      const VecU64 front = (c0[r] & low) | (c1[r] << 32), back = (c2[r] & low) | (c3[r] << 32);
      __builtin_memcpy(out + r * step + 2 * first, &front, sizeof front);
      __builtin_memcpy(out + r * step + kWords / 2 + 2 * first, &back, sizeof back);
    }
  }
}

} // namespace NEGLOG_ISA
} // namespace neglog
