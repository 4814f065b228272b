// What the jobs of rows and elements share. Plain types only.
#pragma once

#include <cstdint>

namespace neglog {

struct Strides { // in elements
  std::int64_t outer, classes, inner;
};

// What a row or entry adds to the divisor of the mean, if it takes part: 1, its own weight, or class weight * own
// weight (a row of probabilities: its own weight). The value of `given` is the caller's affair.
enum class Divisor { given, count, entries, weights };

} // namespace neglog
