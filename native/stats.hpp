// What else a row of logits says beside its loss, and what that passes back. Plain types only: the loops are in
// kernels_stats.cpp, once per instruction set.
#pragma once

#include "layout.hpp"
#include "rows.hpp"

namespace neglog {

// Logits as they are read: softcap * tanh(z / softcap) / temperature, -inf where the class mask is 0 or z is -inf.
struct Transforms {
  const std::uint8_t *class_mask = nullptr; // (C,), or null
  double temperature = 1.0;
  double softcap = 0.0; // 0: none
  bool none() const { return !class_mask && temperature == 1.0 && softcap == 0.0; }
};

struct StatsJob {
  const void *logits; // (outer, C, inner)
  Strides logits_at;
  Dtype dtype;
  std::int64_t outer, classes, inner;
  const void *target = nullptr; // (outer, inner) class indices, or null
  Index index = Index::none;
  bool has_ignore = false;
  std::int64_t ignore_index = 0;
  const std::uint8_t *mask = nullptr; // (outer, inner), nonzero takes part, or null: rows that do not are not read
  Transforms transforms = {};

  // (outer, inner), each or null. The first three float32, or float64 for f64 logits.
  // A masked row gets 0, 0, 0, 0, -1; an ignored one log_prob 0 and rank -1.
  void *log_prob = nullptr, *lse = nullptr, *entropy = nullptr;
  std::int64_t *argmax = nullptr; // the first of the largest
  std::int64_t *rank = nullptr;   // how many logits are larger than the target's

  // the way back: upstreams like the outputs, each or null, and what they give
  const void *to_log_prob = nullptr, *to_lse = nullptr, *to_entropy = nullptr;
  void *grad = nullptr; // like logits
  Strides grad_at = {};
};

// grad = upstream - softmax * sum(upstream): what log_softmax passes back
struct LogSoftmaxBackJob {
  const void *logits; // (outer, C, inner)
  Strides logits_at;
  Dtype dtype;
  std::int64_t outer, classes, inner;
  const void *upstream; // like logits
  Strides upstream_at;
  void *grad; // like logits; may be upstream itself
  Strides grad_at;
};

struct StatsKernels {
  // rows [begin, end); the result depends on the rows alone, not on how they are cut
  std::int64_t (*stats)(const StatsJob &, std::int64_t begin, std::int64_t end); // first row whose target is no class
  void (*stats_back)(const StatsJob &, std::int64_t begin, std::int64_t end);
  void (*log_softmax_back)(const LogSoftmaxBackJob &, std::int64_t begin, std::int64_t end);
};

} // namespace neglog
