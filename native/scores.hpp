// Scoring rows of class predictions: each row is read once and leaves a few numbers. Plain types only.
#pragma once

#include <cstdint>

#include "rows.hpp"

namespace neglog {

enum class Kind { probs, logits, logprobs };

// Why a row has no score. What is nonzero on entry is kept, and the row is not read.
enum RowStatus : std::int8_t {
  kScored = 0,
  kIgnored = 1,    // weight zero
  kBadWeight = 2,  // negative, infinite or NaN
  kBadLabel = 3,   // not among the classes
  kNotANumber = 4, // a NaN in the row
  kOutside = 5,    // a probability outside [0, 1]; a log-probability above 0
  kSumOff = 6,     // the row does not sum to one
  kUndefined = 7,  // logits without a softmax: one is +inf, or all are -inf
};

struct ScoreJob {
  const void *p; // (rows, classes), any strides (counted in elements)
  Dtype dtype;
  std::int64_t classes, row_stride, class_stride;
  Kind kind;
  double tolerance;          // of the sum of a row of probabilities
  const std::int32_t *label; // (rows,) the true class
  const double *weight;      // (rows,) or null
  std::int8_t *status;       // (rows,) in and out
  double *nll, *brier;       // (rows,) out: -log p_y and sum_k (p_k - [k = y])^2
  double *confidence;        // (rows,) out: the largest probability ...
  std::int32_t *top;         // (rows,) out: ... and the first class that has it
  // With weights: called for each row scored with w p_k of the classes k = first ... first + n - 1, in pieces.
  void (*weighted_row)(void *context, std::int64_t first, std::int64_t n, const double *values);
  void *context;
};

// Sums over rows of p_k, in two parts that double holds exactly: each p is taken to the nearest multiple of 2^-73
// (5e-23), so the sums do not depend on the order. Without weights only.
struct ColumnSums {
  double *high, *low;     // (classes rounded up to a multiple of 8,), added to
  double largest_sum_off; // max |sum_k p_k - 1| over the rows scored
};
constexpr std::int64_t kScoreSlice = 4096; // rows per call; the column sums are exact up to 2^17

struct ScoreKernels {
  void (*score_rows)(const ScoreJob &, std::int64_t begin, std::int64_t end, ColumnSums &);
};

} // namespace neglog
