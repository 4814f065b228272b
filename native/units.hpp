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
  void *probability = nullptr;    // sigmoid(x)
  void *sample = nullptr;         // 1 with that probability, else 0
  std::int64_t first_sampled = 0; // the row that is the first one of `sample`
  double *softplus = nullptr;     // (rows,) sum over the row of log(1 + exp(x)); of doubles only

  // Of the draws: row r of `sample`, columns 32 b ... 32 b + 31 are Philox's (key, stream, r, b).
  std::uint64_t key = 0, stream = 0;
};

// A matrix where it lies; one of the steps is 1.
struct View {
  const void *data; // of `wide ? double : float`
  bool wide;
  std::int64_t rows, columns, row_step, column_step;
  View turned() const { return {data, wide, columns, rows, column_step, row_step}; }
};

// Rows of zeros and ones, 64 of them one word, times a matrix, whose columns are cut into lines of 64 bytes.
constexpr std::int64_t kLine = 64;
constexpr std::int64_t words_of(std::int64_t states) { return (states + 63) / 64; }
struct BinaryProductJob {
  const std::uint64_t *bits; // (words, rows), the first state lowest
  std::int64_t rows;
  View matrix; // as many rows as there are states
  void *out;   // (rows, columns), gapless
  bool add;    // to what is there
};

// What rows of two layers, each with its share, amount to in the biases; and the hidden rows times their shares, which
// then make the weights' part by one matrix product. Rows are added in their order.
struct SharesJob {
  bool wide;
  std::int64_t rows, visible_width, hidden_width;
  const void *visible;              // (rows, visible_width) of `wide ? double : float`, as everything here
  void *hidden;                     // (rows, hidden_width), multiplied in place
  const void *share;                // (rows,)
  void *visible_bias, *hidden_bias; // (visible_width,), (hidden_width,): what share * row is added to
  void *sums;                       // (larger width,): room to work in
};

struct UnitsKernels {
  void (*units)(const UnitsJob &, std::int64_t begin, std::int64_t end);            // rows [begin, end)
  bool (*pack)(const View &states, std::uint64_t *bits);                            // false if one is neither 0 nor 1
  void (*multiply)(const BinaryProductJob &, std::int64_t begin, std::int64_t end); // lines of columns [begin, end)
  void (*shares)(const SharesJob &);
  void (*philox)(std::uint64_t key, std::uint64_t stream, std::uint32_t row, std::uint32_t block, std::uint32_t *out);
};

} // namespace neglog
