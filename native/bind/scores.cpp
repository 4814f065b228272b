#include "bind.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "accumulate.hpp"
#include "dispatch.hpp"
#include "scores.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(ScoreKernels, score_kernels)

namespace {

using namespace neglog;
using Doubles = In<double>;

Dtype float_dtype(const nb::dlpack::dtype &t) {
  if (t.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float)) {
    if (t.bits == 16) return Dtype::f16;
    if (t.bits == 32) return Dtype::f32;
    if (t.bits == 64) return Dtype::f64;
  }
  throw nb::type_error("score_rows: p: float16, float32 or float64 expected");
}

void add_weighted(void *context, std::int64_t first, std::int64_t n, const double *values) {
  auto &sums = static_cast<ExactSums *>(context)->sums;
  for (std::int64_t k = 0; k < n; ++k)
    if (values[k] != 0) sums[static_cast<std::size_t>(first + k)].add(values[k]);
}

double score_rows(nb::ndarray<nb::ro, nb::ndim<2>, nb::device::cpu> p, int kind, In<std::int32_t> label,
                  std::optional<Doubles> weight, double tolerance, Out<std::int8_t> status, Out<double> nll,
                  Out<double> brier, Out<double> confidence, Out<std::int32_t> top, ExactSums &columns) {
  ScoreJob job{};
  job.p = p.data();
  job.dtype = float_dtype(p.dtype());
  job.classes = static_cast<std::int64_t>(p.shape(1));
  job.row_stride = p.stride(0), job.class_stride = p.stride(1);
  job.kind = static_cast<Kind>(kind);
  job.tolerance = tolerance;
  job.label = label.data();
  job.weight = weight ? weight->data() : nullptr;
  job.status = status.data();
  job.nll = nll.data(), job.brier = brier.data(), job.confidence = confidence.data(), job.top = top.data();
  job.weighted_row = add_weighted;

  const auto rows = static_cast<std::int64_t>(p.shape(0));
  // enough rows that handing over the column sums costs little beside computing them
  const std::int64_t grain =
      std::clamp<std::int64_t>((1 << 18) / std::max<std::int64_t>(job.classes, 1), 64, kScoreSlice);
  double largest = 0;
  std::mutex mutex;
  nb::gil_scoped_release release;
  const auto kernel = score_kernels().score_rows;
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    ExactSums weighted(job.weight ? job.classes : 0);
    ScoreJob mine = job;
    mine.context = &weighted;
    const auto padded = static_cast<std::size_t>((job.classes + 7) / 8 * 8);
    std::vector<double> high(padded), low(padded);
    ColumnSums sums{high.data(), low.data(), 0};
    kernel(mine, begin, end, sums);
    std::lock_guard<std::mutex> lock(mutex);
    largest = std::max(largest, sums.largest_sum_off);
    if (job.weight) return columns.merge(weighted);
    for (std::size_t k = 0; k < columns.sums.size(); ++k) {
      columns.sums[k].add(high[k]);
      columns.sums[k].add(low[k]);
    }
  });
  return largest;
}

} // namespace

void bind_scores(nb::module_ &m) {
  m.def("score_rows", &score_rows, nb::arg("p"), nb::arg("kind"), nb::arg("label"), nb::arg("weight").none(),
        nb::arg("tolerance"), nb::arg("status"), nb::arg("nll"), nb::arg("brier"), nb::arg("confidence"),
        nb::arg("top"), nb::arg("columns"));
}
