#include "bind.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "dispatch.hpp"
#include "functions.hpp"

NEGLOG_CHOOSE(FunctionKernels, function_kernels)

namespace {

using namespace neglog;

OutArray math(const std::string &name, AnyArray x, OutArray out) {
  const auto n = static_cast<std::int64_t>(x.size());
  const auto *found = std::find(std::begin(kFunctionNames), std::end(kFunctionNames), name);
  const auto which = static_cast<int>(found - std::begin(kFunctionNames));
  if (found != std::end(kFunctionNames) && holds<double>(x)) {
    function_kernels().apply(which, static_cast<const double *>(x.data()), static_cast<double *>(out.data()), n);
    return out;
  }
  if (which < kFloatFunctions && holds<float>(x)) {
    function_kernels().apply_float(which, static_cast<const float *>(x.data()), static_cast<float *>(out.data()), n);
    return out;
  }
  throw nb::value_error(("no such function of this dtype: " + name).c_str());
}

} // namespace

void bind_functions(nb::module_ &m) {
  m.def("math", &math, nb::arg("name"), nb::arg("x"), nb::arg("out"),
        "A function of math.hpp or special_gamma.hpp, for the tests.");
}
