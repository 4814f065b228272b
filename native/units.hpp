// Layers of binary units (restricted Boltzmann machines): from what flows into them to their probabilities, a draw of
// their states and their free energy, in one reading. Plain types only.
#pragma once

#include <cstdint>

namespace neglog {

struct UnitsJob {
  const void *input; // (rows, width) of `wide ? double : float`; the units' logits are x = scale * input + bias
  bool wide;
  std::int64_t width;
  double scale;
  const void *bias; // (width,) of the same type

  // Each of the same type and shape or null; probability may be `input` itself.
  void *probability = nullptr; // sigmoid(x)
  void *sample = nullptr;      // 1 with that probability, else 0
  double *softplus = nullptr;  // (rows,) sum over the row of log(1 + exp(x)); of doubles only

  std::uint64_t key = 0, stream = 0; // of the draws: row r, columns 32 b ... 32 b + 31 are Philox's (key, stream, r, b)
};

// What rows of two layers, each with its share, amount to in the biases; and the hidden rows times their shares, which
// then make the weights' part by one matrix product. Rows are added in their order.
struct SharesJob {
  bool wide;
  std::int64_t rows, visible_width, hidden_width;
  const void *visible;            // (rows, visible_width) of `wide ? double : float`, as everything here
  void *hidden;                   // (rows, hidden_width), multiplied in place
  const void *share;              // (rows,)
  void *visible_sum, *hidden_sum; // (visible_width,), (hidden_width,): of share * row
};

struct UnitsKernels {
  void (*units)(const UnitsJob &, std::int64_t begin, std::int64_t end); // rows [begin, end)
  void (*shares)(const SharesJob &);
  void (*philox)(std::uint64_t key, std::uint64_t stream, std::uint32_t row, std::uint32_t block, std::uint32_t *out);
};

} // namespace neglog
