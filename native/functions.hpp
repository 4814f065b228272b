// The functions of math.hpp and special_gamma.hpp as Python's tests call them, to hold them to their cards.
#pragma once

#include <cstdint>

namespace neglog {

constexpr const char *kFunctionNames[] = {"exp",      "log",      "log1p",         "tanh",    "expm1",
                                          "log1pexp", "log1mexp", "sigmoid",       "log1pmx", "log_gamma",
                                          "digamma",  "trigamma", "stirling_error"};
constexpr int kFloatFunctions = 5; // the first five exist in float32 too

struct FunctionKernels {
  void (*apply)(int which, const double *x, double *out, std::int64_t n); // `which` counts through kFunctionNames
  void (*apply_float)(int which, const float *x, float *out, std::int64_t n);
};

} // namespace neglog
