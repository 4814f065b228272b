#include <algorithm>
#include <cstdint>
#include <optional>

#include "bind.hpp"
#include "dispatch.hpp"
#include "threads.hpp"
#include "units.hpp"

NEGLOG_CHOOSE(UnitsKernels, units_kernels)

namespace {

using namespace neglog;

constexpr std::int64_t kGrain = 32768; // units of a slice: 30 microseconds, several times what waking a thread costs

void units(AnyArray input, double scale, AnyArray bias, std::optional<OutArray> probability,
           std::optional<OutArray> sample, std::optional<Out<double>> softplus, std::uint64_t key,
           std::uint64_t stream) {
  const auto rows = static_cast<std::int64_t>(input.shape(0)), width = static_cast<std::int64_t>(input.shape(1));
  const UnitsJob job{.input = input.data(),
                     .wide = holds<double>(input),
                     .width = width,
                     .scale = scale,
                     .bias = bias.data(),
                     .probability = probability ? probability->data() : nullptr,
                     .sample = sample ? sample->data() : nullptr,
                     .softplus = softplus ? softplus->data() : nullptr,
                     .key = key,
                     .stream = stream};
  const auto kernel = units_kernels().units;
  nb::gil_scoped_release release;
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(width, 1)),
               [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); });
}

void shares(AnyArray visible, OutArray hidden, AnyArray share, OutArray visible_sum, OutArray hidden_sum) {
  units_kernels().shares({.wide = holds<double>(visible),
                          .rows = static_cast<std::int64_t>(visible.shape(0)),
                          .visible_width = static_cast<std::int64_t>(visible.shape(1)),
                          .hidden_width = static_cast<std::int64_t>(hidden.shape(1)),
                          .visible = visible.data(),
                          .hidden = hidden.data(),
                          .share = share.data(),
                          .visible_sum = visible_sum.data(),
                          .hidden_sum = hidden_sum.data()});
}

void philox(std::uint64_t key, std::uint64_t stream, std::uint32_t row, std::uint32_t block, Out<std::uint32_t> out) {
  units_kernels().philox(key, stream, row, block, out.data());
}

} // namespace

void bind_units(nb::module_ &m) {
  m.def("units", &units, nb::arg("input").noconvert(), nb::arg("scale"), nb::arg("bias").noconvert(),
        nb::arg("probability").noconvert().none(), nb::arg("sample").noconvert().none(),
        nb::arg("softplus").noconvert().none(), nb::arg("key"), nb::arg("stream"));
  m.def("shares", &shares, nb::arg("visible").noconvert(), nb::arg("hidden").noconvert(), nb::arg("share").noconvert(),
        nb::arg("visible_sum").noconvert(), nb::arg("hidden_sum").noconvert());
  m.def("philox", &philox, nb::arg("key"), nb::arg("stream"), nb::arg("row"), nb::arg("block"),
        nb::arg("out").noconvert(), "The 32 words of one block, for the tests.");
}
