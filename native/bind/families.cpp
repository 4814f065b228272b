#include "bind.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "family_job.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(FamilyKernels, family_kernels)

namespace {

using namespace neglog;

Argument argument(const AnyArray &a) { return {a.data(), holds<float>(a), a.size() == 1}; }

void family_rows(const std::string &family, int rows, AnyArray y, std::optional<AnyArray> upper,
                 std::vector<AnyArray> parameters, std::vector<OutArray> outputs) {
  const FamilyKernels &known = family_kernels();
  const FamilyEntry *end = known.families + known.count;
  const FamilyEntry *found = std::find_if(known.families, end, [&](const FamilyEntry &f) { return family == f.name; });
  if (found == end) throw nb::value_error(("no native family " + family).c_str());
  if (static_cast<int>(parameters.size()) != found->parameters)
    throw nb::value_error((family + ": wrong number of parameters").c_str());
  FamilyJob job{};
  job.rows = static_cast<Rows>(rows);
  job.y = argument(y);
  job.upper = upper ? argument(*upper) : job.y;
  for (std::size_t i = 0; i < parameters.size(); ++i) job.parameters[i] = argument(parameters[i]);
  job.n = static_cast<std::int64_t>(outputs[0].size());
  job.float_out = outputs[0].dtype() == nb::dtype<float>();
  void **slots[] = {&job.value, &job.grad, &job.hess};
  for (std::size_t i = 0; i < outputs.size(); ++i) *slots[i] = outputs[i].data();

  // 1024 rows cost from 0.4 us (exact) to 1 ms (intervals of counts). Handing them out costs 0.1 us, and what the
  // parameters alone decide is computed for each slice: so 256 slices where there are many rows.
  constexpr std::int64_t least = 1024, slices = 256;
  const std::int64_t grain = std::max(least, job.n / slices / least * least);
  nb::gil_scoped_release release;
  const int order = static_cast<int>(outputs.size()) - 1;
  parallel_for(job.n, grain, [&](std::int64_t first, std::int64_t last) { found->run(order, job, first, last); });
}

} // namespace

void bind_families(nb::module_ &m) {
  m.def("family_rows", &family_rows, nb::arg("family"), nb::arg("rows"), nb::arg("y"), nb::arg("upper").none(),
        nb::arg("parameters"), nb::arg("outputs"),
        "A family over flat arrays, each of one element or one per row: fills outputs = [value, gradient, "
        "Hessian][:order + 1].");
}
