// What the bindings hand to the loops. Plain types only: included by every instruction set and by the bindings alike.
#pragma once

#include <stdint.h>

// The families with a struct in native/families: X(name in Python, struct).
#define NEGLOG_FOR_EACH_FAMILY(X) X(bernoulli, Bernoulli) X(normal, Normal) X(poisson, Poisson) X(weibull, Weibull)

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

struct FamilyKernels {
  // rows [begin, end) with derivatives up to `order`; the family by its position in NEGLOG_FOR_EACH_FAMILY
  void (*run)(int family, int order, const FamilyJob &, int64_t begin, int64_t end);
};

} // namespace neglog
