// One pass over rows for a mixture of Gaussians: log-densities, their logsumexp, posterior probabilities, and the
// weighted sums that the next step of EM needs. Plain types only: the loops are in mixtures_impl.hpp.
#pragma once

#include <cstdint>

namespace neglog {

struct MixtureJob {
  const void *x; // (n, D), contiguous
  bool single;   // x is float32, otherwise float64
  bool diagonal; // covariances without correlations
  std::int64_t columns, components;
  const double *means;  // (K, D)
  const double *whiten; // (K, D, D) inverse Cholesky factors, lower triangular; diagonal: (K, D) inverse deviations
  const double *offset; // (K,) log of the component's weight and of its density at the mean
  const double *weight = nullptr; // (n,) > 0, or null: 1

  double *nll = nullptr;       // (n,), or null
  double *posterior = nullptr; // (n, K), or null

  std::int64_t second() const { return diagonal ? columns : columns * columns; }
  // What a pass adds up: sum of w nll, sum of w; then for each component sums of w r, w r y and w r y y', where
  // y = x - mean and r is the posterior probability. Of y y' the lower triangle is written.
  std::int64_t sums() const { return 2 + components * (1 + columns + second()); }
};

struct MixtureKernels {
  // rows [begin, end), added to sums (null: not wanted); the result depends on the rows alone, not on how they are cut
  void (*pass)(const MixtureJob &, std::int64_t begin, std::int64_t end, double *sums);
};

} // namespace neglog
