// What the bindings hand to the loops. Plain types only: included by every instruction set and by the bindings alike.
#pragma once

#include <stdint.h>

namespace neglog {

constexpr int kMaxParameters = 4;

// What the rows of a call mean; src/neglog/families/kernel.py has the same list.
enum class Rows {
  exact,    // -log f(y)
  observed, // -log f(y) where y == upper, otherwise -log P(y < Y <= upper)
  window,   // +log P(y < Y <= upper)
};

struct Argument {
  const void *data;
  bool is_float; // float32, otherwise float64
  bool single;   // one number for every row
};

struct FamilyJob {
  Rows rows;
  Argument y, upper, parameters[kMaxParameters];
  int64_t n;
  void *value, *grad, *hess; // (n), (P, n), (P, P, n)
  bool float_out;
};

// rows [begin, end) with derivatives up to `order`
using FamilyRun = void (*)(int order, const FamilyJob &, int64_t begin, int64_t end);

struct FamilyEntry {
  const char *name; // as in Python
  int parameters;
  FamilyRun run;
};

struct FamilyKernels {
  const FamilyEntry *families;
  int count;
};

} // namespace neglog
