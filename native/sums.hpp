// Exact sums, many rows at a time: what kernels_sums.cpp offers to ExactSums. Plain types only.
#pragma once

#include <cstdint>

namespace neglog {

constexpr int kSumLevels = 11;
constexpr std::int64_t kSumRows = 4096; // rows per call

struct SumKernels {
  // Adds sum_i prod_f factors[f][i] over n <= kSumRows rows to levels[0 .. kSumLevels), without error: the exact sum is
  // that of the levels. Rows beyond the range of the levels are left to the caller: their numbers go to `left`, and how
  // many they are is returned. 1 to 4 factors.
  int (*sum_products)(const double *const *factors, int n_factors, std::int64_t n, double *levels, std::int32_t *left);
};

} // namespace neglog
