#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "bind.hpp"
#include "dispatch.hpp"
#include "threads.hpp"
#include "units.hpp"

NEGLOG_CHOOSE(UnitsKernels, units_kernels)

namespace {

using namespace neglog;

constexpr std::int64_t kGrain = 32768; // units of a slice: 30 microseconds, several times what waking a thread costs
constexpr std::int64_t kAdditions = 131072; // of vectors, in a slice of a product: 50 microseconds

using Matrix = nb::ndarray<nb::ro, nb::ndim<2>, nb::device::cpu>; // of any steps: NumPy's .T is one

std::int64_t size(const auto &a, std::size_t axis) { return static_cast<std::int64_t>(a.shape(axis)); }
bool wide(const auto &a) { return a.dtype() == nb::dtype<double>(); }
View view(const Matrix &a) {
  const auto step = [&](std::size_t axis) { return a.shape(axis) > 1 ? a.stride(axis) : 1; };
  return {a.data(), wide(a), size(a, 0), size(a, 1), step(0), step(1)};
}

// out = states @ matrix, or is added to; false, and nothing done, if a state is neither 0 nor 1.
bool multiply(const View &states, const View &matrix, const OutArray &out, bool add) {
  for (const View &a : {states, matrix})
    if (a.wide != wide(out) || (a.row_step != 1 && a.column_step != 1)) return false;
  const auto &kernels = units_kernels();
  const std::int64_t words = std::max<std::int64_t>(1, words_of(matrix.rows)), width = kLine / (matrix.wide ? 8 : 4);
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(states.rows * words));
  if (!kernels.pack(states, bits.data())) return false;
  const BinaryProductJob job{bits.data(), states.rows, matrix, out.data(), add};
  const std::int64_t additions = 16 * words * (states.rows + 32); // of a line; to fill a table costs as much as 32
  parallel_for((matrix.columns + width - 1) / width, std::max<std::int64_t>(1, kAdditions / additions),
               [&](std::int64_t begin, std::int64_t end) { kernels.multiply(job, begin, end); });
  return true;
}

bool binary_product(Matrix states, Matrix matrix, OutArray out) {
  nb::gil_scoped_release release;
  return multiply(view(states), view(matrix), out, false);
}

// With weights the input is the states of the other layer; false, and nothing done, if one is neither 0 nor 1.
bool units(Matrix input, std::optional<Matrix> weights, double scale, AnyArray bias,
           std::optional<OutArray> probability, std::optional<OutArray> sample, std::optional<Out<double>> softplus,
           std::uint64_t key, std::uint64_t stream) {
  const OutArray *inflow = probability ? &*probability : sample ? &*sample : nullptr; // with weights
  const std::int64_t rows = size(input, 0), width = size(bias, 0);
  const UnitsJob job{.input = weights ? inflow->data() : input.data(),
                     .wide = wide(bias),
                     .width = width,
                     .scale = scale,
                     .bias = bias.data(),
                     .probability = probability ? probability->data() : nullptr,
                     .sample = sample ? sample->data() : nullptr,
                     .first_sampled = sample ? rows - size(*sample, 0) : 0,
                     .softplus = softplus ? softplus->data() : nullptr,
                     .key = key,
                     .stream = stream};
  nb::gil_scoped_release release;
  if (weights && !multiply(view(input), view(*weights), *inflow, false)) return false;
  const auto kernel = units_kernels().units;
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(width, 1)),
               [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); });
  return true;
}

// Adds to weights and biases what the rows, times their shares, amount to; false if a visible state is neither 0 nor 1,
// and then the weights' part, visible.T @ hidden, is left to do.
bool update(Matrix visible, OutArray hidden, AnyArray share, OutArray weights, OutArray visible_bias,
            OutArray hidden_bias) {
  std::vector<double> sums(std::max(visible.shape(1), hidden.shape(1)));
  nb::gil_scoped_release release;
  units_kernels().shares({.wide = wide(share),
                          .rows = size(visible, 0),
                          .visible_width = size(visible, 1),
                          .hidden_width = size(hidden, 1),
                          .visible = visible.data(),
                          .hidden = hidden.data(),
                          .share = share.data(),
                          .visible_bias = visible_bias.data(),
                          .hidden_bias = hidden_bias.data(),
                          .sums = sums.data()});
  const View h{hidden.data(), wide(hidden), size(hidden, 0), size(hidden, 1), size(hidden, 1), 1};
  return multiply(view(visible).turned(), h, weights, true);
}

void philox(std::uint64_t key, std::uint64_t stream, std::uint32_t row, std::uint32_t block, Out<std::uint32_t> out) {
  units_kernels().philox(key, stream, row, block, out.data());
}

} // namespace

void bind_units(nb::module_ &m) {
  m.def("binary_product", &binary_product, nb::arg("states").noconvert(), nb::arg("matrix").noconvert(),
        nb::arg("out").noconvert());
  m.def("units", &units, nb::arg("input").noconvert(), nb::arg("weights").noconvert().none(), nb::arg("scale"),
        nb::arg("bias").noconvert(), nb::arg("probability").noconvert().none(), nb::arg("sample").noconvert().none(),
        nb::arg("softplus").noconvert().none(), nb::arg("key"), nb::arg("stream"));
  m.def("update", &update, nb::arg("visible").noconvert(), nb::arg("hidden").noconvert(), nb::arg("share").noconvert(),
        nb::arg("weights").noconvert(), nb::arg("visible_bias").noconvert(), nb::arg("hidden_bias").noconvert());
  m.def("philox", &philox, nb::arg("key"), nb::arg("stream"), nb::arg("row"), nb::arg("block"),
        nb::arg("out").noconvert(), "The 32 words of one block, for the tests.");
}
