#include "address.hpp"
#include "bind.hpp"

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

void *pointer(const OptionalOut &a) { return a ? a->data() : nullptr; }
Pattern pattern(const Weights &a) {
  if (!a) return {};
  return {.values = a->data(), .period = std::max<std::int64_t>(1, static_cast<std::int64_t>(a->size()))};
}
Entries entries(const Weights &weight, const Mask &mask) {
  return {.weight = weight ? weight->data() : nullptr,
          .mask = mask ? reinterpret_cast<const std::uint8_t *>(mask->data()) : nullptr};
}

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
std::vector<Part> in_pieces(std::int64_t n, std::int64_t piece, int threads,
                            Part (*kernel)(const Job &, std::int64_t, std::int64_t), const Job &job) {
  std::vector<Part> parts(static_cast<std::size_t>((n + piece - 1) / piece));
  parallel_for(
      n, piece,
      [&](std::int64_t begin, std::int64_t end) {
        parts[static_cast<std::size_t>(begin / piece)] = kernel(job, begin, end);
      },
      threads);
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

Totals totals_of(const TotalsJob &job, std::int64_t n, int threads) {
  const auto parts = in_pieces(n, kPiece, threads, loss_kernels().totals, job);
  Totals sums{.entries = total(parts, &Totals::entries),
              .weights = total(parts, &Totals::weights),
              .magnitude = total(parts, &Totals::magnitude)};
  for (const Totals &part : parts) sums.count += part.count;
  return sums;
}

PointwiseSum pointwise_sum(const PointwiseJob &job, int threads) {
  const std::int64_t run = job.entries.run, piece = std::max<std::int64_t>(1, kPiece / run) * run;
  const auto parts = in_pieces(job.n, piece, threads, loss_kernels().pointwise, job);
  return {total(parts, &PointwiseSum::loss) / static_cast<double>(run), first(parts, &PointwiseSum::bad_input),
          first(parts, &PointwiseSum::bad_target)};
}

GatherSum gather_sum(const GatherJob &job, int threads) {
  // a row costs one value read, and all of its gradient written
  const std::int64_t piece = std::clamp<std::int64_t>((1 << 20) / std::max<std::int64_t>(job.classes, 1), 16, kPiece);
  const auto parts = in_pieces(job.outer * job.inner, piece, threads, loss_kernels().gather, job);
  return {total(parts, &GatherSum::loss), first(parts, &GatherSum::bad_target), first(parts, &GatherSum::bad_input)};
}

// What a mean over n elements divides by; nothing is read where their number says it.
double divisor_of(Divisor kind, TotalsJob job, std::int64_t n, int threads) {
  if (kind == Divisor::given) return 1.0;
  const std::int64_t run = job.entries.run;
  if (kind != Divisor::weights) job.weight = {};
  if (!job.weight.values) {
    n /= run, job.entries.run = 1; // entry by entry
    if (!job.has_ignore) job.target = nullptr;
    if (!job.target && job.entries.all_alike()) return static_cast<double>(n);
  }
  const Totals sums = totals_of(job, n, threads);
  if (kind == Divisor::count) return static_cast<double>(sums.count);
  return kind == Divisor::entries ? sums.entries : sums.weights / static_cast<double>(job.weight.values ? run : 1);
}
double per(double divisor, double value) { return divisor == 0.0 ? value : value / divisor; }

// ---- from arrays -----------------------------------------------------------------------------------------------

using SumAndBad = std::tuple<double, std::int64_t, std::int64_t>;

template <Pointwise formula>
SumAndBad pointwise(AnyArray input, AnyArray target, Weights weight, Weights pos_weight, Weights entry_weight,
                    Mask mask, OptionalOut loss, OptionalOut grad, double scale) {
  const PointwiseJob job{.formula = formula,
                         .n = static_cast<std::int64_t>(input.size()),
                         .input = input.data(),
                         .input_type = element_of(input),
                         .target = target.data(),
                         .target_type = element_of(target),
                         .weight = pattern(weight),
                         .pos_weight = pattern(pos_weight),
                         .entries = entries(entry_weight, mask),
                         .scale = scale,
                         .loss = pointer(loss),
                         .grad = pointer(grad)};
  nb::gil_scoped_release release;
  const auto sum = pointwise_sum(job, get_num_threads());
  return {sum.loss, sum.bad_input, sum.bad_target};
}

std::int64_t extent(const AnyArray &a, std::size_t axis) { return static_cast<std::int64_t>(a.shape(axis)); }

SumAndBad gather(AnyArray input, AnyArray target, bool probabilities, Weights weight, Weights entry_weight, Mask mask,
                 OptionalIndex ignore_index, OptionalOut loss, OptionalOut grad, double scale) {
  const std::int64_t outer = extent(input, 0), classes = extent(input, 1), inner = extent(input, 2);
  const GatherJob job{.input = input.data(),
                      .input_type = element_of(input),
                      .probabilities = probabilities,
                      .outer = outer,
                      .classes = classes,
                      .inner = inner,
                      .input_at = gapless(classes, inner),
                      .target = target.data(),
                      .target_type = element_of(target),
                      .weight = weight ? weight->data() : nullptr,
                      .entries = entries(entry_weight, mask),
                      .has_ignore = ignore_index.has_value(),
                      .ignore_index = ignore_index.value_or(0),
                      .scale = scale,
                      .loss = pointer(loss),
                      .grad = pointer(grad),
                      .grad_at = gapless(classes, inner)};
  nb::gil_scoped_release release;
  const auto sum = gather_sum(job, get_num_threads());
  return {sum.loss, sum.bad_target, sum.bad_input};
}

std::tuple<std::int64_t, double, double, double> totals(std::int64_t n, std::int64_t classes,
                                                        std::optional<AnyArray> target, Weights weight,
                                                        Weights entry_weight, Mask mask, OptionalIndex ignore_index) {
  const TotalsJob job{.target = target ? target->data() : nullptr,
                      .target_type = target ? element_of(*target) : Element::u8,
                      .classes = classes,
                      .weight = pattern(weight),
                      .entries = entries(entry_weight, mask),
                      .has_ignore = ignore_index.has_value(),
                      .ignore_index = ignore_index.value_or(0)};
  nb::gil_scoped_release release;
  const Totals sums = totals_of(job, n, get_num_threads());
  return {sums.count, sums.entries, sums.weights, sums.magnitude};
}

// ---- from addresses ----------------------------------------------------------------------------------------------
// A dtype counts through f16, bf16, f32, f64; the code of a target through all of Element.
Element floating(int dtype) { return static_cast<Element>(static_cast<int>(Element::f16) + dtype); }

using MeanAndBad = std::tuple<double, double, std::int64_t, std::int64_t>;

MeanAndBad pointwise_strided(int formula, std::int64_t n, int dtype, Address input, int target_code, Address target,
                             int weight_dtype, Address weight, std::int64_t weight_period, Address pos_weight,
                             std::int64_t pos_period, Address entry_weight, Address mask, std::int64_t run,
                             Address loss, Address grad, int divisor_kind, double scale, int threads) {
  const Element weights = floating(weight_dtype);
  const TotalsJob whole{
      .weight = {.values = at<const void>(weight), .type = weights, .period = std::max<std::int64_t>(weight_period, 1)},
      .entries = {.weight = at<const void>(entry_weight),
                  .weight_type = weights,
                  .mask = at<const std::uint8_t>(mask),
                  .run = std::max<std::int64_t>(run, 1)}};
  const double divisor = divisor_of(static_cast<Divisor>(divisor_kind), whole, n, threads);
  const PointwiseJob job{.formula = static_cast<Pointwise>(formula),
                         .n = n,
                         .input = at<const void>(input),
                         .input_type = floating(dtype),
                         .target = at<const void>(target),
                         .target_type = static_cast<Element>(target_code),
                         .weight = whole.weight,
                         .pos_weight = {.values = at<const void>(pos_weight),
                                        .type = weights,
                                        .period = std::max<std::int64_t>(pos_period, 1)},
                         .entries = whole.entries,
                         .scale = divisor == 0.0 ? 0.0 : scale / divisor / static_cast<double>(whole.entries.run),
                         .loss = at<void>(loss),
                         .grad = at<void>(grad)};
  const auto sum = pointwise_sum(job, threads);
  return {per(divisor, sum.loss), divisor, sum.bad_input, sum.bad_target};
}

MeanAndBad gather_nll_strided(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner,
                              Address log_probs, const Place3 &strides, Address target, int target_code, Address weight,
                              Address sample_weight, Address mask, bool has_ignore, std::int64_t ignore_index,
                              Address loss, Address grad, const Place3 &grad_strides, int divisor_kind, double scale,
                              int threads) {
  const TotalsJob whole{.target = at<const void>(target),
                        .target_type = static_cast<Element>(target_code),
                        .classes = classes,
                        .weight = {.values = at<const void>(weight), .period = std::max<std::int64_t>(classes, 1)},
                        .entries = {.weight = at<const void>(sample_weight), .mask = at<const std::uint8_t>(mask)},
                        .has_ignore = has_ignore,
                        .ignore_index = ignore_index};
  const double divisor = divisor_of(static_cast<Divisor>(divisor_kind), whole, outer * inner, threads);
  const GatherJob job{.input = at<const void>(log_probs),
                      .input_type = floating(dtype),
                      .probabilities = false,
                      .outer = outer,
                      .classes = classes,
                      .inner = inner,
                      .input_at = strides_of(strides),
                      .target = whole.target,
                      .target_type = whole.target_type,
                      .weight = at<const double>(weight),
                      .entries = whole.entries,
                      .has_ignore = has_ignore,
                      .ignore_index = ignore_index,
                      .scale = divisor == 0.0 ? 0.0 : scale / divisor,
                      .loss = at<void>(loss),
                      .grad = at<void>(grad),
                      .grad_at = strides_of(grad_strides)};
  const auto sum = gather_sum(job, threads);
  return {per(divisor, sum.loss), divisor, sum.bad_target, sum.bad_input};
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
  using Release = nb::call_guard<nb::gil_scoped_release>;
  m.def("pointwise_strided", &pointwise_strided, nb::arg("formula"), nb::arg("n"), nb::arg("dtype"), nb::arg("input"),
        nb::arg("target_code"), nb::arg("target"), nb::arg("weight_dtype"), nb::arg("weight"), nb::arg("weight_period"),
        nb::arg("pos_weight"), nb::arg("pos_period"), nb::arg("entry_weight"), nb::arg("mask"), nb::arg("run"),
        nb::arg("loss"), nb::arg("grad"), nb::arg("divisor_kind"), nb::arg("scale"), nb::arg("threads"), Release(),
        "-> (value, divisor, first bad input, first bad target)");
  m.def("gather_nll_strided", &gather_nll_strided, nb::arg("dtype"), nb::arg("outer"), nb::arg("classes"),
        nb::arg("inner"), nb::arg("log_probs"), nb::arg("strides"), nb::arg("target"), nb::arg("target_code"),
        nb::arg("weight"), nb::arg("sample_weight"), nb::arg("mask"), nb::arg("has_ignore"), nb::arg("ignore_index"),
        nb::arg("loss"), nb::arg("grad"), nb::arg("grad_strides"), nb::arg("divisor_kind"), nb::arg("scale"),
        nb::arg("threads"), Release(), "-> (value, divisor, first bad target, first bad input)");
}
