#include "address.hpp"
#include "bind.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "rows.hpp"
#include "threads.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

NEGLOG_CHOOSE(RowKernels, row_kernels)

namespace {

using namespace neglog;

using Parameters = std::tuple<double, double, double, double>;
Deformation deformation_of(int kind, const Parameters &p) {
  return {static_cast<Deformation::Kind>(kind), std::get<0>(p), std::get<1>(p), std::get<2>(p), std::get<3>(p)};
}

using MaybeAny = std::optional<AnyArray>;
using MaybeOut = std::optional<OutArray>;

// uint16 carries bfloat16: NumPy has no type of that name
Dtype float_dtype(const nb::dlpack::dtype &t) {
  using Code = nb::dlpack::dtype_code;
  const auto code = static_cast<Code>(t.code);
  if (code == Code::Float && t.bits == 16) return Dtype::f16;
  if (code == Code::Float && t.bits == 32) return Dtype::f32;
  if (code == Code::Float && t.bits == 64) return Dtype::f64;
  if ((code == Code::UInt || code == Code::Bfloat) && t.bits == 16) return Dtype::bf16;
  throw nb::type_error("logits: float16, float32, float64 or bfloat16 (as uint16) expected");
}
Index index_dtype(const nb::dlpack::dtype &t) {
  using Code = nb::dlpack::dtype_code;
  const auto code = static_cast<Code>(t.code);
  if (code == Code::UInt && t.bits == 8) return Index::u8;
  if (code == Code::Int && t.bits == 32) return Index::i32;
  if (code == Code::Int && t.bits == 64) return Index::i64;
  throw nb::type_error("target: int64, int32 or uint8 expected");
}
template <class T> const T *maybe(const MaybeAny &a) { return a ? static_cast<const T *>(a->data()) : nullptr; }
void *maybe(const MaybeOut &a) { return a ? a->data() : nullptr; }

constexpr std::int64_t kHopeful = 4; // classes

// Rows per unit of work. It depends on the shape alone, so that block sums are the same for every number of threads;
// about 64 K elements keep a unit's cost (some 20 us) well above that of handing it out.
std::int64_t grain_for(std::int64_t classes, bool beside) {
  const std::int64_t rows = 65536 / std::max<std::int64_t>(classes, 8);
  if (beside) return std::max<std::int64_t>(256, (rows + 63) / 64 * 64); // whole tiles: kernels take such rows together
  return classes >= 1024 ? std::max<std::int64_t>(1, rows) : (rows + 63) / 64 * 64; // whole groups of lanes
}
template <class Job> std::int64_t grain_of(const Job &job) {
  return grain_for(job.classes, (job.inner == 1 ? job.logits_at.outer : job.logits_at.inner) == 1);
}

SoftmaxSum pass(const SoftmaxJob &job, int threads) {
  const std::int64_t rows = job.outer * job.inner;
  const std::int64_t grain = grain_of(job);
  std::vector<SoftmaxSum> blocks(static_cast<std::size_t>((rows + grain - 1) / grain));
  const auto kernel = row_kernels().softmax_nll;
  parallel_for(
      rows, grain,
      [&](std::int64_t begin, std::int64_t end) {
        blocks[static_cast<std::size_t>(begin / grain)] = kernel(job, begin, end);
      },
      threads);
  SoftmaxSum total;
  for (const auto &block : blocks) {
    total.loss += block.loss;
    total.divisor += block.divisor;
    if (total.bad_row < 0) total.bad_row = block.bad_row;
  }
  return total;
}

double divisor_of(const SoftmaxJob &job, int threads) {
  constexpr std::int64_t grain = 65536; // rows: some 20 us
  const std::int64_t rows = job.outer * job.inner;
  std::vector<double> blocks(static_cast<std::size_t>((rows + grain - 1) / grain));
  const auto kernel = row_kernels().divisor;
  parallel_for(
      rows, grain,
      [&](std::int64_t begin, std::int64_t end) {
        blocks[static_cast<std::size_t>(begin / grain)] = kernel(job, begin, end);
      },
      threads);
  double sum = 0;
  for (const double block : blocks) sum += block;
  return sum;
}

// The mean and its gradient. The value alone finds its divisor on the way; a gradient needs it before.
SoftmaxSum mean_pass(SoftmaxJob job, int threads) {
  if (!job.grad || job.divisor == Divisor::given) return pass(job, threads);
  const double scale = job.scale, rows = static_cast<double>(job.outer * job.inner);
  const auto divide = [&](double divisor) { job.scale = divisor != 0.0 ? scale / divisor : scale; };
  const bool weighs = job.weight && job.index != Index::none && job.divisor == Divisor::weights;
  const bool counted = !job.mask && !job.row_weight && !weighs; // but for what is ignored
  // where targets are as large as the logits, reading them beforehand costs more than the hope that none is ignored
  const bool hopeful = counted && job.classes <= kHopeful && job.grad != job.logits;
  double divisor = rows;
  if (!hopeful && (!counted || job.has_ignore)) divisor = divisor_of(job, threads);
  divide(divisor);
  SoftmaxSum sum = pass(job, threads);
  if (hopeful && sum.divisor != divisor && sum.bad_row < 0) {
    divide(sum.divisor);
    sum = pass(job, threads);
  }
  return sum;
}

nb::tuple softmax_nll(AnyArray logits, AnyArray target, MaybeAny weight, MaybeAny row_weight, MaybeAny mask,
                      std::optional<std::int64_t> ignore_index, double smoothing, MaybeOut loss, MaybeOut grad,
                      double scale, double temperature, int deformation, const Parameters &parameters,
                      MaybeAny transition) {
  SoftmaxJob job{};
  job.logits = logits.data();
  job.dtype = float_dtype(logits.dtype());
  job.outer = logits.shape(0), job.classes = logits.shape(1), job.inner = logits.shape(2);
  job.target = target.data();
  job.index = target.ndim() == 3 ? Index::none : index_dtype(target.dtype());
  job.weight = maybe<double>(weight);
  job.row_weight = maybe<double>(row_weight);
  job.mask = maybe<std::uint8_t>(mask);
  job.has_ignore = ignore_index.has_value();
  job.ignore_index = ignore_index.value_or(0);
  job.smoothing = smoothing;
  job.temperature = temperature;
  job.deformation = deformation_of(deformation, parameters);
  job.transition = maybe<double>(transition);
  job.scale = scale;
  job.loss = maybe(loss);
  job.grad = maybe(grad);
  job.logits_at = job.target_at = job.grad_at = gapless(job.classes, job.inner);

  SoftmaxSum total;
  {
    nb::gil_scoped_release release;
    total = pass(job, 0);
  }
  return nb::make_tuple(total.loss, total.bad_row);
}

nb::tuple softmax_nll_strided(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                              const Place3 &logits_strides, Address target, int target_code,
                              const Place3 &target_strides, Address weight, Address sample_weight, Address mask,
                              Address class_mask, bool has_ignore, std::int64_t ignore_index, double label_smoothing,
                              double temperature, double softcap, double z_loss, Address loss, Address grad,
                              const Place3 &grad_strides, int divisor_kind, double scale, int threads, int deformation,
                              const Parameters &parameters, Address transition) {
  SoftmaxJob job{};
  job.logits = at<const void>(logits);
  job.logits_at = strides_of(logits_strides);
  job.dtype = static_cast<Dtype>(dtype);
  job.outer = outer, job.classes = classes, job.inner = inner;
  job.target = at<const void>(target);
  job.index = static_cast<Index>(target_code);
  job.target_at = job.index == Index::none ? strides_of(target_strides) : job.logits_at;
  job.weight = at<const double>(weight);
  job.row_weight = at<const double>(sample_weight);
  job.mask = at<const std::uint8_t>(mask);
  job.has_ignore = has_ignore;
  job.ignore_index = ignore_index;
  job.smoothing = label_smoothing;
  job.class_mask = at<const std::uint8_t>(class_mask);
  job.temperature = temperature;
  job.softcap = softcap;
  job.z_loss = z_loss;
  job.deformation = deformation_of(deformation, parameters);
  job.transition = at<const double>(transition);
  job.scale = scale;
  job.loss = at<void>(loss);
  job.grad = at<void>(grad);
  job.grad_at = grad ? strides_of(grad_strides) : job.logits_at;
  job.divisor = static_cast<Divisor>(divisor_kind);
  join_rows(job.outer, job.inner, {&job.logits_at, &job.target_at, &job.grad_at});
  SoftmaxSum total;
  {
    nb::gil_scoped_release release;
    total = mean_pass(job, threads);
  }
  if (job.divisor == Divisor::given) total.divisor = 1.0;
  return nb::make_tuple(total.divisor != 0.0 ? total.loss / total.divisor : total.loss, total.divisor, total.bad_row);
}

// Fresh memory in pages of 2 MiB: a fault for each 4 KiB costs more than writing it.
void advise_huge(Address address, std::int64_t bytes) {
#if defined(MADV_HUGEPAGE)
  const auto page = static_cast<Address>(sysconf(_SC_PAGESIZE));
  const Address begin = (address + page - 1) / page * page, end = (address + static_cast<Address>(bytes)) / page * page;
  if (begin < end) madvise(at<void>(begin), end - begin, MADV_HUGEPAGE); // advice: where it is refused, nothing changes
#else
  (void)address, (void)bytes;
#endif
}

void normalise(const LseJob &job, int threads) {
  const auto kernel = row_kernels().logsumexp;
  parallel_for(
      job.outer * job.inner, grain_of(job), [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); },
      threads);
}

void logsumexp_strided(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                       const Place3 &strides, Address lse, Address out, const Place3 &out_strides, bool probabilities,
                       int threads) {
  LseJob job{};
  job.logits = at<const void>(logits);
  job.logits_at = strides_of(strides);
  job.dtype = static_cast<Dtype>(dtype);
  job.outer = outer, job.classes = classes, job.inner = inner;
  job.lse = at<void>(lse);
  job.out = at<void>(out);
  job.out_at = out ? strides_of(out_strides) : job.logits_at;
  job.probabilities = probabilities;
  join_rows(job.outer, job.inner, {&job.logits_at, &job.out_at});
  nb::gil_scoped_release release;
  normalise(job, threads);
}

void logsumexp(AnyArray logits, MaybeOut lse, MaybeOut out, bool probabilities) {
  LseJob job{};
  job.logits = logits.data();
  job.dtype = float_dtype(logits.dtype());
  job.outer = logits.shape(0), job.classes = logits.shape(1), job.inner = logits.shape(2);
  job.lse = maybe(lse);
  job.out = maybe(out);
  job.probabilities = probabilities;
  job.logits_at = job.out_at = gapless(job.classes, job.inner);
  nb::gil_scoped_release release;
  normalise(job, 0);
}

} // namespace

void bind_rows(nb::module_ &m) {
  m.def("softmax_nll", &softmax_nll, nb::arg("logits"), nb::arg("target"), nb::arg("weight").none(),
        nb::arg("sample_weight").none(), nb::arg("mask").none(), nb::arg("ignore_index").none(),
        nb::arg("label_smoothing"), nb::arg("loss").none(), nb::arg("grad").none(), nb::arg("scale"),
        nb::arg("temperature") = 1.0, nb::arg("deformation") = 0, nb::arg("parameters") = Parameters{},
        nb::arg("transition") = nb::none(),
        "Cross-entropy, or a deformation of it, of logits (outer, C, inner) and its gradient; returns (sum of weighted "
        "losses, first bad row or "
        "-1).");
  m.def("logsumexp", &logsumexp, nb::arg("logits"), nb::arg("lse").none(), nb::arg("out").none(),
        nb::arg("probabilities") = false,
        "logsumexp over axis 1 of (outer, C, inner) into lse; log_softmax (or softmax, if probabilities) into out.");
  m.def("softmax_nll_strided", &softmax_nll_strided, nb::arg("dtype"), nb::arg("outer"), nb::arg("classes"),
        nb::arg("inner"), nb::arg("logits"), nb::arg("logits_strides"), nb::arg("target"), nb::arg("target_code"),
        nb::arg("target_strides"), nb::arg("weight"), nb::arg("sample_weight"), nb::arg("mask"), nb::arg("class_mask"),
        nb::arg("has_ignore"), nb::arg("ignore_index"), nb::arg("label_smoothing"), nb::arg("temperature"),
        nb::arg("softcap"), nb::arg("z_loss"), nb::arg("loss"), nb::arg("grad"), nb::arg("grad_strides"),
        nb::arg("divisor_kind"), nb::arg("scale"), nb::arg("threads"), nb::arg("deformation") = 0,
        nb::arg("parameters") = Parameters{}, nb::arg("transition") = Address{0},
        "Cross-entropy, or a deformation of it, of logits at an address, with any strides; returns (value, divisor, "
        "first bad row or -1).");
  m.def("logsumexp_strided", &logsumexp_strided, nb::arg("dtype"), nb::arg("outer"), nb::arg("classes"),
        nb::arg("inner"), nb::arg("logits"), nb::arg("strides"), nb::arg("lse"), nb::arg("out"), nb::arg("out_strides"),
        nb::arg("probabilities"), nb::arg("threads"), "logsumexp() of memory at an address, with any strides.");
  m.def("advise_huge", &advise_huge, nb::arg("address"), nb::arg("bytes"),
        "Asks for huge pages under a fresh buffer that is about to be written whole.");
}
