// Row kernels, softmax-type: what the loops in rows_impl.hpp offer to the bindings. Plain types only.
//
// Data lie as (outer, C, inner): softmax runs over C. A row is one (outer, inner) position; rows are numbered
// outer * inner_count + inner, and whatever has one value per row lies in that order. Logits, probabilities and
// gradients have strides of their own.
#pragma once

#include "layout.hpp"

namespace neglog {

enum class Dtype { f16, bf16, f32, f64 };
enum class Index { u8, i32, i64, none };

// What a loss is of the true class's margin over its competitors; deformations.hpp. none: cross-entropy. tempered and
// mixed look at all probabilities: rows_tempered.hpp.
struct Deformation {
  enum Kind { none, ratio, polynomial, power, competing, exponential, mada, mislabel, taylor, tempered, mixed } kind;
  double first, second, third, fourth;
};

struct SoftmaxJob {
  const void *logits; // (outer, C, inner)
  Strides logits_at;
  Dtype dtype;
  std::int64_t outer, classes, inner;
  const void *target;       // (outer, inner) class indices, or (outer, C, inner) probabilities of the logits' dtype
  Index index;              // Index::none: probabilities
  Strides target_at;        // of probabilities
  const double *weight;     // (C,) class weights, or null
  const double *row_weight; // (outer, inner), or null
  const std::uint8_t *mask; // (outer, inner), nonzero takes part, or null
  bool has_ignore;
  std::int64_t ignore_index;
  double smoothing;
  const std::uint8_t *class_mask; // (C,), nonzero: the class exists, or null
  double temperature;             // logits are softcap * tanh(z / softcap) / temperature
  double softcap;                 // 0: none
  double z_loss;                  // each row also costs z_loss * (sum of its target's masses) * logsumexp^2
  Deformation deformation;        // of class indices without smoothing and z_loss
  const double *transition;       // (C, C) of the kind mixed: P(observed | true class)
  double scale;                   // multiplies the gradient
  void *loss;                     // (outer, inner) float32 (float64 for f64 logits), or null
  void *grad;                     // like logits, or null; may be the logits themselves
  Strides grad_at;
  Divisor divisor;
};

struct SoftmaxSum {
  double loss = 0;           // sum of the weighted losses of these rows
  double divisor = 0;        // sum of what they add to the divisor
  std::int64_t bad_row = -1; // first row whose target is no class, or no probability
};

struct LseJob {
  const void *logits; // (outer, C, inner)
  Strides logits_at;
  Dtype dtype;
  std::int64_t outer, classes, inner;
  void *lse; // (outer, inner) float32 / float64, or null
  void *out; // like logits, or null: log_softmax, or softmax when `probabilities`
  Strides out_at;
  bool probabilities;
};

struct RowKernels {
  // rows [begin, end); the result depends on the rows alone, not on how they are cut
  SoftmaxSum (*softmax_nll)(const SoftmaxJob &, std::int64_t begin, std::int64_t end);
  double (*divisor)(const SoftmaxJob &, std::int64_t begin, std::int64_t end); // from the targets alone
  void (*logsumexp)(const LseJob &, std::int64_t begin, std::int64_t end);
};

} // namespace neglog
