// Exact sums of products in vector registers. A product becomes an expansion (its halves, without error), and each term
// is cut into multiples of fixed quanta, 2^(q - 38 k) for level k: adding multiples of one quantum is exact as long as
// the sum stays below 2^53 of them. Cutting depends on the row alone, so neither order nor partition shows.
// Demmel & Nguyen, "Parallel reproducible summation", IEEE Trans. Computers 64 (2015) 2060-2070, with levels enough to
// lose nothing.
#include "simd.hpp"
#include "sums.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

constexpr int kLanes = Lanes<VecD>::n;
// The arithmetic of the levels, for 4096 = 2^12 rows of up to 8 terms, the first of them at most 2^30 and the others
// 2^-53 of it: level 0 adds up to less than 2^43 = 2^52 quanta of 2^-9, level k to 2^(12 + 3 - 1) halves of the quantum
// above, 2^(14 + 38) of its own. The lowest level counts in 2^-389; the last bit of a product of four doubles that is
// at least 2^-160 is no less than 2^(-160 - 4 * 53 + 1).
constexpr int kQuantum = -9, kStep = 38;
constexpr double kLargest = 0x1p30, kSmallest = 0x1p-160;
constexpr double kLargestFactor = 0x1p200, kSmallestFactor = 0x1p-200; // no part of a product underflows

constexpr double power(int n) { return n == 0 ? 1.0 : n > 0 ? 2.0 * power(n - 1) : 0.5 * power(n + 1); }

template <int level = 0> inline void add_levels(VecD *sums, VecD x) {
  if constexpr (level < kSumLevels) {
    constexpr double magic =
        1.5 * power(52 + kQuantum - kStep * level); // adding it rounds to a multiple of the quantum
    const VecD part = (x + magic) - magic;
    sums[level] += part;
    const VecD rest = x - part;
    if (level >= 2 && !any(rest != 0.0)) return; // three levels hold most numbers
    add_levels<level + 1>(sums, rest);
  }
}

inline VecD product_error(VecD a, VecD b, VecD product) {
#if defined(__FMA__) || defined(__ARM_NEON)
  return madd(a, b, -product);
#else // Dekker: halves of 26 bits
  const VecD ca = 0x1.0000002p27 * a, cb = 0x1.0000002p27 * b;
  const VecD ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh;
  return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
#endif
}

template <int F> inline void add_row(const VecD *factors, VecD *sums) {
  constexpr int kTerms = 1 << (F - 1);
  VecD terms[kTerms];
  terms[0] = factors[0];
  int count = 1;
  for (int f = 1; f < F; ++f, count *= 2)
    for (int t = 0; t < count; ++t) {
      const VecD product = terms[t] * factors[f];
      terms[t + count] = product_error(terms[t], factors[f], product);
      terms[t] = product;
    }
  for (int t = 0; t < kTerms; ++t) add_levels(sums, terms[t]);
}

template <int F> int sum_products(const double *const *factors, int64_t n, double *levels, int32_t *left) {
  VecD sums[kSumLevels] = {};
  int n_left = 0;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int m = n - i < kLanes ? static_cast<int>(n - i) : kLanes;
    VecD x[F], product = splat<VecD>(1.0);
    VecI64 zero{}, inside = VecI64{} - 1;
    for (int f = 0; f < F; ++f) {
      x[f] = m == kLanes ? load<VecD>(factors[f] + i) : load_first<VecD>(factors[f] + i, m, 0.0);
      const VecD size = absolute(x[f]);
      zero |= size == 0.0;
      inside &= (size >= kSmallestFactor) & (size <= kLargestFactor);
      product *= size;
    }
    inside &= (product >= kSmallest) & (product <= kLargest);
    const VecI64 outside = ~(inside | zero);
    if (any(outside))
      for (int lane = 0; lane < m; ++lane)
        if (outside[lane]) left[n_left++] = static_cast<int32_t>(i + lane);
    for (int f = 0; f < F; ++f) x[f] = inside ? x[f] : VecD{};
    add_row<F>(x, sums);
  }
  for (int k = 0; k < kSumLevels; ++k) levels[k] += sum_lanes(sums[k]);
  return n_left;
}

int sum_any(const double *const *factors, int n_factors, int64_t n, double *levels, int32_t *left) {
  switch (n_factors) {
  case 1: return sum_products<1>(factors, n, levels, left);
  case 2: return sum_products<2>(factors, n, levels, left);
  case 3: return sum_products<3>(factors, n, levels, left);
  default: return sum_products<4>(factors, n, levels, left);
  }
}

} // namespace

const SumKernels &sum_kernels() {
  static constexpr SumKernels table{sum_any};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
