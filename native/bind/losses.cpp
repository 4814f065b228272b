#include "bind.hpp"

#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "dispatch.hpp"
#include "losses.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(LossKernels, loss_kernels)

namespace neglog {
namespace {

using Weights = std::optional<In<double>>;
using Mask = std::optional<In<bool>>;
using OptionalOut = std::optional<OutArray>;
using OptionalIndex = std::optional<std::int64_t>;

Element element_of(const AnyArray &a) {
  if (holds<float>(a)) return Element::f32;
  if (holds<double>(a)) return Element::f64;
  if (holds<std::int64_t>(a)) return Element::i64;
  if (holds<std::int32_t>(a)) return Element::i32;
  if (holds<std::uint8_t>(a) || holds<bool>(a)) return Element::u8;
  if (holds<std::uint16_t>(a)) return Element::bf16;
  if (a.dtype().code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float) && a.dtype().bits == 16)
    return Element::f16;
  throw nb::type_error("unexpected dtype");
}

const double *pointer(const Weights &a) { return a ? a->data() : nullptr; }
const std::uint8_t *pointer(const Mask &a) { return a ? reinterpret_cast<const std::uint8_t *>(a->data()) : nullptr; }
void *pointer(const OptionalOut &a) { return a ? a->data() : nullptr; }
Pattern pattern(const Weights &a) {
  return a ? Pattern{a->data(), std::max<std::int64_t>(1, static_cast<std::int64_t>(a->size()))} : Pattern{};
}

struct Shape {
  std::int64_t outer, classes, inner;
  explicit Shape(const AnyArray &a)
      : outer(static_cast<std::int64_t>(a.shape(0))), classes(static_cast<std::int64_t>(a.shape(1))),
        inner(static_cast<std::int64_t>(a.shape(2))) {}
};

double pairwise(const double *x, std::size_t n) {
  if (n > 8) return pairwise(x, n / 2) + pairwise(x + n / 2, n - n / 2);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

// Runs kernel(job, begin, end) over [0, n) in pieces of a fixed size: what is added to what, and so the last bit of
// every sum, does not depend on the number of threads.
constexpr std::int64_t kPiece = 16384;
template <class Part, class Job>
std::vector<Part> in_pieces(std::int64_t n, Part (*kernel)(const Job &, std::int64_t, std::int64_t), const Job &job) {
  std::vector<Part> parts(static_cast<std::size_t>((n + kPiece - 1) / kPiece));
  nb::gil_scoped_release release;
  parallel_for(n, kPiece, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += kPiece)
      parts[static_cast<std::size_t>(begin / kPiece)] = kernel(job, begin, std::min(begin + kPiece, end));
  });
  return parts;
}

template <class Part> double total(const std::vector<Part> &parts, double Part::*field) {
  if (parts.size() == 1) return parts[0].*field;
  std::vector<double> values;
  for (const Part &part : parts) values.push_back(part.*field);
  return pairwise(values.data(), values.size());
}
template <class Part> std::int64_t first(const std::vector<Part> &parts, std::int64_t Part::*field) {
  for (const Part &part : parts)
    if (part.*field >= 0) return part.*field;
  return -1;
}

using SumAndBad = std::tuple<double, std::int64_t, std::int64_t>;

template <Pointwise formula>
SumAndBad pointwise(AnyArray input, AnyArray target, Weights weight, Weights pos_weight, Weights entry_weight,
                    Mask mask, OptionalOut loss, OptionalOut grad, double scale) {
  const PointwiseJob job{.formula = formula,
                         .input = input.data(),
                         .input_type = element_of(input),
                         .target = target.data(),
                         .target_type = element_of(target),
                         .weight = pattern(weight),
                         .pos_weight = pattern(pos_weight),
                         .entry_weight = pointer(entry_weight),
                         .mask = pointer(mask),
                         .scale = scale,
                         .loss = pointer(loss),
                         .grad = pointer(grad)};
  const auto parts = in_pieces(static_cast<std::int64_t>(input.size()), loss_kernels().pointwise, job);
  return {total(parts, &PointwiseSum::loss), first(parts, &PointwiseSum::bad_input),
          first(parts, &PointwiseSum::bad_target)};
}

SumAndBad gather(AnyArray input, AnyArray target, bool probabilities, Weights weight, Weights entry_weight, Mask mask,
                 OptionalIndex ignore_index, OptionalOut loss, OptionalOut grad, double scale) {
  const Shape shape(input);
  const GatherJob job{.input = input.data(),
                      .input_type = element_of(input),
                      .probabilities = probabilities,
                      .outer = shape.outer,
                      .classes = shape.classes,
                      .inner = shape.inner,
                      .target = target.data(),
                      .target_type = element_of(target),
                      .weight = pointer(weight),
                      .entry_weight = pointer(entry_weight),
                      .mask = pointer(mask),
                      .has_ignore = ignore_index.has_value(),
                      .ignore_index = ignore_index.value_or(0),
                      .scale = scale,
                      .loss = pointer(loss),
                      .grad = pointer(grad)};
  const auto parts = in_pieces(shape.outer * shape.inner, loss_kernels().gather, job);
  return {total(parts, &GatherSum::loss), first(parts, &GatherSum::bad_target), first(parts, &GatherSum::bad_input)};
}

std::tuple<std::int64_t, double, double, double> totals(std::int64_t n, std::int64_t classes,
                                                        std::optional<AnyArray> target, Weights weight,
                                                        Weights entry_weight, Mask mask, OptionalIndex ignore_index) {
  const TotalsJob job{.target = target ? target->data() : nullptr,
                      .target_type = target ? element_of(*target) : Element::u8,
                      .classes = classes,
                      .weight = pattern(weight),
                      .entry_weight = pointer(entry_weight),
                      .mask = pointer(mask),
                      .has_ignore = ignore_index.has_value(),
                      .ignore_index = ignore_index.value_or(0)};
  const auto parts = in_pieces(n, loss_kernels().totals, job);
  std::int64_t count = 0;
  for (const Totals &part : parts) count += part.count;
  return {count, total(parts, &Totals::entries), total(parts, &Totals::weights), total(parts, &Totals::magnitude)};
}

void log_softmax_back(AnyArray log_probs, AnyArray upstream, OutArray grad) {
  const Shape shape(log_probs);
  const LogSoftmaxBackJob job{.log_probs = log_probs.data(),
                              .upstream = upstream.data(),
                              .grad = grad.data(),
                              .type = element_of(log_probs),
                              .outer = shape.outer,
                              .classes = shape.classes,
                              .inner = shape.inner};
  const auto grain = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, shape.classes));
  const auto kernel = loss_kernels().log_softmax_back;
  nb::gil_scoped_release release;
  parallel_for(shape.outer * shape.inner, grain,
               [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); });
}

template <Pointwise formula> void define(nb::module_ &m, const char *name, const char *doc) {
  m.def(name, &pointwise<formula>, nb::arg("input").noconvert(), nb::arg("target").noconvert(),
        nb::arg("weight").none(), nb::arg("pos_weight").none(), nb::arg("entry_weight").none(), nb::arg("mask").none(),
        nb::arg("loss").none(), nb::arg("grad").none(), nb::arg("scale"), doc);
}

} // namespace
} // namespace neglog

void bind_losses(nb::module_ &m) {
  using namespace neglog;
  define<Pointwise::bce>(m, "bce", "-> (loss sum, first bad input, first bad target)");
  define<Pointwise::bce_with_logits>(m, "bce_with_logits", "-> (loss sum, -1, first bad target)");
  define<Pointwise::kl_div>(m, "kl_div", "-> (loss sum, first bad input, first bad target)");
  define<Pointwise::kl_div_log_target>(m, "kl_div_log_target", "-> (loss sum, first bad input, first bad target)");
  m.def("nll_gather", &gather, nb::arg("input").noconvert(), nb::arg("target").noconvert(), nb::arg("probabilities"),
        nb::arg("weight").none(), nb::arg("entry_weight").none(), nb::arg("mask").none(),
        nb::arg("ignore_index").none(), nb::arg("loss").none(), nb::arg("grad").none(), nb::arg("scale"),
        "-> (loss sum, first bad target, first bad input)");
  m.def("totals", &totals, nb::arg("n"), nb::arg("classes"), nb::arg("target").none(), nb::arg("weight").none(),
        nb::arg("entry_weight").none(), nb::arg("mask").none(), nb::arg("ignore_index").none(),
        "-> (entries that take part, sum of entry weights, sum of entry weight * weight, sum of its magnitude)");
  m.def("log_softmax_back", &log_softmax_back, nb::arg("log_probs").noconvert(), nb::arg("upstream").noconvert(),
        nb::arg("grad").noconvert());
}
