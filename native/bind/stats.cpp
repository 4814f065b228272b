#include <algorithm>
#include <stdexcept>
#include <vector>

#include "address.hpp"
#include "bind.hpp"
#include "dispatch.hpp"
#include "stats.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(StatsKernels, stats_kernels)

namespace {

using namespace neglog;

// Rows per unit of work: whole groups of lanes, and long enough to be worth handing out.
std::int64_t grain_for(std::int64_t classes) {
  return classes >= 1024 ? std::max<std::int64_t>(1, 65536 / classes)
                         : (65536 / std::max<std::int64_t>(classes, 8) + 63) / 64 * 64;
}

template <class Job>
void each_slice(const Job &job, int threads, void (*kernel)(const Job &, std::int64_t, std::int64_t)) {
  parallel_for(
      job.outer * job.inner, grain_for(job.classes),
      [&](std::int64_t begin, std::int64_t end) { kernel(job, begin, end); }, threads);
}

StatsJob stats_job(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                   const Place3 &strides, Address target, int target_code, bool has_ignore, std::int64_t ignore_index,
                   Address mask, Address class_mask, double temperature, double softcap) {
  return {
      .logits = at<const void>(logits),
      .logits_at = strides_of(strides),
      .dtype = static_cast<Dtype>(dtype),
      .outer = outer,
      .classes = classes,
      .inner = inner,
      .target = at<const void>(target),
      .index = target ? static_cast<Index>(target_code) : Index::none,
      .has_ignore = has_ignore,
      .ignore_index = ignore_index,
      .mask = at<const std::uint8_t>(mask),
      .transforms = {.class_mask = at<const std::uint8_t>(class_mask), .temperature = temperature, .softcap = softcap}};
}

std::int64_t logit_stats(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                         const Place3 &strides, Address target, int target_code, bool has_ignore,
                         std::int64_t ignore_index, Address mask, Address class_mask, double temperature,
                         double softcap, Address log_prob, Address lse, Address entropy, Address argmax, Address rank,
                         int threads) {
  StatsJob job = stats_job(dtype, outer, classes, inner, logits, strides, target, target_code, has_ignore, ignore_index,
                           mask, class_mask, temperature, softcap);
  if (target) job.log_prob = at<void>(log_prob), job.rank = at<std::int64_t>(rank);
  job.lse = at<void>(lse), job.entropy = at<void>(entropy), job.argmax = at<std::int64_t>(argmax);
  join_rows(job.outer, job.inner, {&job.logits_at});
  const std::int64_t rows = job.outer * job.inner, grain = grain_for(classes);
  std::vector<std::int64_t> bad(static_cast<std::size_t>((rows + grain - 1) / grain), -1);
  const auto kernel = stats_kernels().stats;
  parallel_for(
      rows, grain,
      [&](std::int64_t begin, std::int64_t end) {
        bad[static_cast<std::size_t>(begin / grain)] = kernel(job, begin, end);
      },
      threads);
  const auto found = std::find_if(bad.begin(), bad.end(), [](std::int64_t row) { return row >= 0; });
  return found == bad.end() ? -1 : *found;
}

void logit_stats_back(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                      const Place3 &strides, Address target, int target_code, bool has_ignore,
                      std::int64_t ignore_index, Address mask, Address class_mask, double temperature, double softcap,
                      Address to_log_prob, Address to_lse, Address to_entropy, Address grad, const Place3 &grad_strides,
                      int threads) {
  StatsJob job = stats_job(dtype, outer, classes, inner, logits, strides, target, target_code, has_ignore, ignore_index,
                           mask, class_mask, temperature, softcap);
  job.to_log_prob = at<const void>(to_log_prob);
  job.to_lse = at<const void>(to_lse);
  job.to_entropy = at<const void>(to_entropy);
  job.grad = at<void>(grad), job.grad_at = strides_of(grad_strides);
  join_rows(job.outer, job.inner, {&job.logits_at, &job.grad_at});
  each_slice(job, threads, stats_kernels().stats_back);
}

void logsumexp_back_strided(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                            const Place3 &strides, Address upstream, Address grad, const Place3 &grad_strides,
                            int threads) {
  logit_stats_back(dtype, outer, classes, inner, logits, strides, 0, 0, false, 0, 0, 0, 1.0, 0.0, 0, upstream, 0, grad,
                   grad_strides, threads);
}

void log_softmax_back(LogSoftmaxBackJob job, int threads) {
  join_rows(job.outer, job.inner, {&job.logits_at, &job.upstream_at, &job.grad_at});
  each_slice(job, threads, stats_kernels().log_softmax_back);
}

void log_softmax_back_strided(int dtype, std::int64_t outer, std::int64_t classes, std::int64_t inner, Address logits,
                              const Place3 &strides, Address upstream, const Place3 &upstream_strides, Address grad,
                              const Place3 &grad_strides, int threads) {
  log_softmax_back({.logits = at<const void>(logits),
                    .logits_at = strides_of(strides),
                    .dtype = static_cast<Dtype>(dtype),
                    .outer = outer,
                    .classes = classes,
                    .inner = inner,
                    .upstream = at<const void>(upstream),
                    .upstream_at = strides_of(upstream_strides),
                    .grad = at<void>(grad),
                    .grad_at = strides_of(grad_strides)},
                   threads);
}

// Arrays (outer, C, inner) of one dtype; bfloat16 as uint16.
void log_softmax_back_arrays(AnyArray logits, AnyArray upstream, OutArray grad) {
  const Dtype dtype = holds<float>(logits)           ? Dtype::f32
                      : holds<double>(logits)        ? Dtype::f64
                      : holds<std::uint16_t>(logits) ? Dtype::bf16
                                                     : Dtype::f16;
  const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(logits.shape(axis)); };
  const Strides strides = gapless(extent(1), extent(2));
  const LogSoftmaxBackJob job{.logits = logits.data(),
                              .logits_at = strides,
                              .dtype = dtype,
                              .outer = extent(0),
                              .classes = extent(1),
                              .inner = extent(2),
                              .upstream = upstream.data(),
                              .upstream_at = strides,
                              .grad = grad.data(),
                              .grad_at = strides};
  nb::gil_scoped_release release;
  log_softmax_back(job, 0);
}

} // namespace

void bind_stats(nb::module_ &m) {
  using Release = nb::call_guard<nb::gil_scoped_release>;
#define ROW                                                                                                            \
  nb::arg("dtype"), nb::arg("outer"), nb::arg("classes"), nb::arg("inner"), nb::arg("logits"), nb::arg("strides")
#define SELECTION                                                                                                      \
  nb::arg("target"), nb::arg("target_code"), nb::arg("has_ignore"), nb::arg("ignore_index"), nb::arg("mask"),          \
      nb::arg("class_mask"), nb::arg("temperature"), nb::arg("softcap")
  m.def("logit_stats", &logit_stats, ROW, SELECTION, nb::arg("log_prob"), nb::arg("lse"), nb::arg("entropy"),
        nb::arg("argmax"), nb::arg("rank"), nb::arg("threads"), Release(), "-> first row whose target is no class");
  m.def("logit_stats_back", &logit_stats_back, ROW, SELECTION, nb::arg("to_log_prob"), nb::arg("to_lse"),
        nb::arg("to_entropy"), nb::arg("grad"), nb::arg("grad_strides"), nb::arg("threads"), Release());
  m.def("logsumexp_back_strided", &logsumexp_back_strided, ROW, nb::arg("upstream"), nb::arg("grad"),
        nb::arg("grad_strides"), nb::arg("threads"), Release());
  m.def("log_softmax_back_strided", &log_softmax_back_strided, ROW, nb::arg("upstream"), nb::arg("upstream_strides"),
        nb::arg("grad"), nb::arg("grad_strides"), nb::arg("threads"), Release());
  m.def("log_softmax_back", &log_softmax_back_arrays, nb::arg("logits").noconvert(), nb::arg("upstream").noconvert(),
        nb::arg("grad").noconvert());
#undef ROW
#undef SELECTION
}
