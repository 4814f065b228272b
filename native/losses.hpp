// Losses without a softmax, and the sums of weights behind every mean. Plain types only: the loops are in
// kernels_losses.cpp, once per instruction set.
//
// Elements are computed in float32, or in float64 where anything that is given is, in blocks that stay in the
// first-level cache; other types are widened on the way in and rounded once on the way out. Sums are float64.
#pragma once

#include "layout.hpp"

namespace neglog {

enum class Element { u8, i32, i64, f16, bf16, f32, f64 };

// Beyond this a value is no log-probability: about the square root of the type's precision is left to rounding.
constexpr double log_probability_limit(Element type) {
  return type == Element::f64 ? 1e-8 : (type == Element::f32 ? 3e-4 : 0.03);
}

// Weights, float32 or float64, that repeat: element i has values[i % period]
struct Pattern {
  const void *values = nullptr; // null: all one
  Element type = Element::f64;
  std::int64_t period = 1;
};

// What has one weight and one place in the mask, and takes part or not: `run` elements in a row, usually one.
struct Entries {
  const void *weight = nullptr; // (entries,) float32 or float64, or null
  Element weight_type = Element::f64;
  const std::uint8_t *mask = nullptr; // (entries,), nonzero takes part, or null
  std::int64_t run = 1;
  bool all_alike() const { return !weight && !mask; }
};

enum class Pointwise { bce, bce_with_logits, kl_div, kl_div_log_target };

struct PointwiseJob {
  Pointwise formula;
  std::int64_t n;    // elements
  const void *input; // (n,) probability, logit, or log-probability
  Element input_type;
  const void *target; // (n,) probability, or log-probability
  Element target_type;
  Pattern weight;
  Pattern pos_weight; // bce_with_logits only: multiplies the target's term
  Entries entries;
  double scale; // multiplies the gradient
  void *loss;   // (entries,) float32 (float64 for float64 input), the mean over an entry's run; or null
  void *grad;   // like input, or null; may be the input itself
};

struct PointwiseSum {
  double loss = 0;
  std::int64_t bad_input = -1, bad_target = -1; // first entry that is not what the formula needs: a (log-)probability
};

// loss_i = -w input[i, target_i] (log-probabilities) or -w log(input[i, target_i]) (probabilities)
struct GatherJob {
  const void *input; // (outer, classes, inner)
  Element input_type;
  bool probabilities;
  std::int64_t outer, classes, inner;
  Strides input_at;
  const void *target; // (outer, inner): u8, i32 or i64
  Element target_type;
  const double *weight; // (classes,) or null
  Entries entries;      // (outer, inner)
  bool has_ignore;
  std::int64_t ignore_index;
  double scale;
  void *loss; // (outer, inner) or null
  void *grad; // like input, or null; only for log-probabilities. Zero where no target is
  Strides grad_at;
};

struct GatherSum {
  double loss = 0;
  std::int64_t bad_target = -1, bad_input = -1; // first row whose target is no class / whose value is no probability
};

// What a mean may divide by. An entry takes part if it is neither ignored nor masked nor of zero entry weight.
struct TotalsJob {
  const void *target = nullptr; // (n,) class indices, or null
  Element target_type = Element::i64;
  std::int64_t classes = 0;
  Pattern weight = {}; // by class if there is a target, else by position
  Entries entries = {};
  bool has_ignore = false;
  std::int64_t ignore_index = 0;
};

struct Totals {
  std::int64_t count = 0;
  double entries = 0;   // sum of entry weights
  double weights = 0;   // sum of entry weight * weight; a target that is no class counts 0
  double magnitude = 0; // sum of |entry weight * weight|: tells zero weights from weights that cancel
};

struct LossKernels {
  // entries or rows [begin, end); the result depends on them alone, not on how they are cut
  PointwiseSum (*pointwise)(const PointwiseJob &, std::int64_t begin, std::int64_t end);
  GatherSum (*gather)(const GatherJob &, std::int64_t begin, std::int64_t end);
  Totals (*totals)(const TotalsJob &, std::int64_t begin, std::int64_t end);
};

} // namespace neglog
