#include "bind.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "rows.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(RowKernels, row_kernels)

namespace {

using namespace neglog;

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

// Rows per unit of work. It depends on the shape alone, so that block sums are the same for every number of threads;
// about 64 K elements keep a unit's cost (some 20 us) well above that of handing it out.
std::int64_t grain_for(std::int64_t classes) {
  const std::int64_t rows = 65536 / std::max<std::int64_t>(classes, 8);
  return classes >= 1024 ? std::max<std::int64_t>(1, rows) : (rows + 63) / 64 * 64; // whole groups of lanes
}

nb::tuple softmax_nll(AnyArray logits, AnyArray target, MaybeAny weight, MaybeAny row_weight, MaybeAny mask,
                      std::optional<std::int64_t> ignore_index, double smoothing, MaybeOut loss, MaybeOut grad,
                      double scale) {
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
  job.scale = scale;
  job.loss = maybe(loss);
  job.grad = maybe(grad);

  const std::int64_t rows = job.outer * job.inner;
  const std::int64_t grain = grain_for(job.classes);
  std::vector<SoftmaxSum> blocks(static_cast<std::size_t>((rows + grain - 1) / grain));
  SoftmaxSum total;
  {
    nb::gil_scoped_release release;
    const auto kernel = row_kernels().softmax_nll;
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      blocks[static_cast<std::size_t>(begin / grain)] = kernel(job, begin, end);
    });
    for (const auto &block : blocks) {
      total.loss += block.loss;
      if (total.bad_row < 0) total.bad_row = block.bad_row;
    }
  }
  return nb::make_tuple(total.loss, total.bad_row);
}

void logsumexp(AnyArray logits, MaybeOut lse, MaybeOut out, bool probabilities) {
  LseJob job{};
  job.logits = logits.data();
  job.dtype = float_dtype(logits.dtype());
  job.outer = logits.shape(0), job.classes = logits.shape(1), job.inner = logits.shape(2);
  job.lse = maybe(lse);
  job.out = maybe(out);
  job.probabilities = probabilities;
  nb::gil_scoped_release release;
  const auto kernel = row_kernels().logsumexp;
  parallel_for(job.outer * job.inner, grain_for(job.classes),
               [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); });
}

OutArray math(const std::string &name, AnyArray x, OutArray out) {
  const auto n = static_cast<std::int64_t>(x.size());
  const auto *found = std::find(std::begin(kMathNames), std::end(kMathNames), name);
  const auto which = static_cast<int>(found - std::begin(kMathNames));
  if (found != std::end(kMathNames) && holds<double>(x)) {
    row_kernels().math(which, static_cast<const double *>(x.data()), static_cast<double *>(out.data()), n);
    return out;
  }
  if (which < kFloatMath && holds<float>(x)) {
    row_kernels().math_float(which, static_cast<const float *>(x.data()), static_cast<float *>(out.data()), n);
    return out;
  }
  throw nb::value_error(("no such function of this dtype: " + name).c_str());
}

} // namespace

void bind_rows(nb::module_ &m) {
  m.def("softmax_nll", &softmax_nll, nb::arg("logits"), nb::arg("target"), nb::arg("weight").none(),
        nb::arg("sample_weight").none(), nb::arg("mask").none(), nb::arg("ignore_index").none(),
        nb::arg("label_smoothing"), nb::arg("loss").none(), nb::arg("grad").none(), nb::arg("scale"),
        "Cross-entropy of logits (outer, C, inner) and its gradient; returns (sum of weighted losses, first bad row or "
        "-1).");
  m.def("logsumexp", &logsumexp, nb::arg("logits"), nb::arg("lse").none(), nb::arg("out").none(),
        nb::arg("probabilities") = false,
        "logsumexp over axis 1 of (outer, C, inner) into lse; log_softmax (or softmax, if probabilities) into out.");
  m.def("math", &math, nb::arg("name"), nb::arg("x"), nb::arg("out"), "A function of math.hpp, for the tests.");
}
