#include "bind.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "exact_sums.hpp"
#include "scores.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(ScoreKernels, score_kernels)

namespace {

using namespace neglog;
using Doubles = In<double>;
using Factors = std::vector<Doubles>;

// k exact sums, addressed by index: one per class, per bin ...
struct ExactSums {
  std::vector<Superaccumulator> sums;
  explicit ExactSums(std::int64_t k) : sums(static_cast<std::size_t>(k)) {}
  std::int64_t size() const { return static_cast<std::int64_t>(sums.size()); }
  void merge(const ExactSums &other) {
    if (other.size() != size()) throw nb::value_error("ExactSums.merge: different numbers of sums");
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i].merge(other.sums[i]);
  }
};

// Adds the product of the factors from `f` on to `x`, all halves of it.
void add_product(Superaccumulator &sum, double x, const double *const *f, std::size_t n, std::int64_t i) {
  if (n == 0) return sum.add(x);
  const double y = f[0][i], high = x * y;
  add_product(sum, high, f + 1, n - 1, i);
  if (const double low = product_error(x, y, high); low != 0 && std::isfinite(high))
    add_product(sum, low, f + 1, n - 1, i);
}

void add(ExactSums &self, std::optional<In<std::int64_t>> index, const Factors &factors) {
  if (factors.empty()) throw nb::value_error("ExactSums.add: nothing to add");
  const auto n = static_cast<std::int64_t>(factors[0].size());
  std::vector<const double *> f;
  for (const auto &factor : factors) {
    if (static_cast<std::int64_t>(factor.size()) != n) throw nb::value_error("ExactSums.add: lengths differ");
    f.push_back(factor.data());
  }
  if (index && static_cast<std::int64_t>(index->size()) != n) throw nb::value_error("ExactSums.add: lengths differ");
  const std::int64_t *at = index ? index->data() : nullptr;
  for (std::int64_t i = 0; at && i < n; ++i)
    if (at[i] < 0 || at[i] >= self.size()) throw nb::index_error("ExactSums.add: index");
  if (!at && self.size() < 1) throw nb::index_error("ExactSums.add: index");
  nb::gil_scoped_release release;
  for (std::int64_t i = 0; i < n; ++i)
    add_product(self.sums[static_cast<std::size_t>(at ? at[i] : 0)], f[0][i], f.data() + 1, f.size() - 1, i);
}

// (numerator, e), meaning numerator / 2^e with an odd numerator, (0, 0), or a float that is not finite.
nb::object exact(Superaccumulator sum) {
  constexpr int top = Superaccumulator::kChunks - 1;
  if (!sum.finite()) return nb::float_(sum.special());
  sum.carry();
  int first = 0;
  while (first < top && sum.chunk(first) == 0) ++first;
  if (sum.chunk(first) == 0) return nb::make_tuple(0, 0);
  // little-endian two's complement; the last chunk carries the sign
  std::vector<std::uint32_t> words;
  for (int i = first; i < top; ++i) words.push_back(static_cast<std::uint32_t>(sum.chunk(i)));
  const std::int64_t last = sum.chunk(top);
  words.push_back(static_cast<std::uint32_t>(last));
  words.push_back(static_cast<std::uint32_t>(last >> 32));
  nb::object number = nb::module_::import_("builtins").attr("int").attr("from_bytes")(
      nb::bytes(words.data(), words.size() * 4), "little", nb::arg("signed") = true);
  const int zeros = __builtin_ctzll(static_cast<std::uint64_t>(sum.chunk(first)));
  return nb::make_tuple(number.attr("__rshift__")(zeros), 1074 - 32 * first - zeros);
}

nb::list fractions(const ExactSums &self) {
  nb::list out;
  for (const auto &sum : self.sums) out.append(exact(sum));
  return out;
}

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
  const std::int64_t grain = std::clamp<std::int64_t>((1 << 18) / std::max<std::int64_t>(job.classes, 1), 64, kScoreSlice);
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
  nb::class_<ExactSums>(m, "ExactSums", "k sums of float64 without rounding, addressed by index.")
      .def(nb::init<std::int64_t>(), nb::arg("k"))
      .def("__len__", &ExactSums::size)
      .def(
          "add", [](ExactSums &self, std::optional<In<std::int64_t>> index, nb::args args) {
            Factors factors;
            for (nb::handle factor : args) factors.push_back(nb::cast<Doubles>(factor));
            add(self, index, factors);
          },
          nb::arg("index").none(), nb::arg("factors"),
          "Add the exact products of the factors (float64 arrays of one length) to the sums named by index (int64;\n"
          "None: the first sum).")
      .def("merge", &ExactSums::merge, "Add the sums of another.")
      .def("copy", [](const ExactSums &self) { return ExactSums(self); })
      .def("fractions", &fractions,
           "A list of (numerator, e), meaning numerator / 2**e, with an odd numerator or (0, 0); a float where the sum is\n"
           "not finite.");
  m.def("score_rows", &score_rows, nb::arg("p"), nb::arg("kind"), nb::arg("label"), nb::arg("weight").none(),
        nb::arg("tolerance"), nb::arg("status"), nb::arg("nll"), nb::arg("brier"), nb::arg("confidence"), nb::arg("top"),
        nb::arg("columns"));
}
