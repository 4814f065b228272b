#include "bind.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "accumulate.hpp"
#include "dispatch.hpp"
#include "sums.hpp"

NEGLOG_CHOOSE(SumKernels, sum_kernels)

namespace {

using namespace neglog;
using Doubles = In<double>;
using Factors = std::vector<Doubles>;
constexpr std::size_t kMaxFactors = 4;

// Adds the product of the factors from `f` on to `x`, all halves of it.
void add_product(Superaccumulator &sum, double x, const double *const *f, std::size_t n, std::int64_t i) {
  if (n == 0) return sum.add(x);
  const double y = f[0][i], high = x * y;
  add_product(sum, high, f + 1, n - 1, i);
  if (const double low = product_error(x, y, high); low != 0 && std::isfinite(high))
    add_product(sum, low, f + 1, n - 1, i);
}

// Rows one at a time, for groups too small to fill vectors.
void add_rows(ExactSums &self, const std::int64_t *index, const std::vector<const double *> &f, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    add_product(self.sums[static_cast<std::size_t>(index ? index[i] : 0)], f[0][i], f.data() + 1, f.size() - 1, i);
}

// At most kSumRows rows of one sum.
void add_piece(Superaccumulator &sum, const double *const *f, std::size_t n_factors, std::int64_t n) {
  double levels[kSumLevels] = {};
  std::int32_t left[kSumRows];
  const int n_left = sum_kernels().sum_products(f, static_cast<int>(n_factors), n, levels, left);
  for (const double level : levels)
    if (level != 0) sum.add(level);
  for (int i = 0; i < n_left; ++i) add_product(sum, f[0][left[i]], f + 1, n_factors - 1, left[i]);
}

void add_one_sum(Superaccumulator &sum, const std::vector<const double *> &f, std::int64_t n) {
  for (std::int64_t start = 0; start < n; start += kSumRows) {
    const double *piece[kMaxFactors];
    for (std::size_t k = 0; k < f.size(); ++k) piece[k] = f[k] + start;
    add_piece(sum, piece, f.size(), std::min(kSumRows, n - start));
  }
}

// Rows sorted by sum (by counting), then each sum's rows together.
void add_sorted(ExactSums &self, const std::int64_t *index, const std::vector<const double *> &f, std::int64_t n) {
  std::vector<std::int64_t> end(self.sums.size() + 1), order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) ++end[static_cast<std::size_t>(index[i]) + 1];
  for (std::size_t k = 1; k < end.size(); ++k) end[k] += end[k - 1];
  for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(end[static_cast<std::size_t>(index[i])]++)] = i;
  std::vector<double> gathered(f.size() * static_cast<std::size_t>(kSumRows));
  std::int64_t start = 0;
  for (std::size_t k = 0; k < self.sums.size(); ++k)
    for (; start < end[k]; start += kSumRows) {
      const std::int64_t m = std::min(kSumRows, end[k] - start);
      const double *piece[kMaxFactors];
      for (std::size_t a = 0; a < f.size(); ++a) {
        double *out = gathered.data() + a * static_cast<std::size_t>(kSumRows);
        for (std::int64_t i = 0; i < m; ++i) out[i] = f[a][order[static_cast<std::size_t>(start + i)]];
        piece[a] = out;
      }
      add_piece(self.sums[k], piece, f.size(), m);
      if (m < kSumRows) {
        start += m;
        break;
      }
    }
}

void add(ExactSums &self, std::optional<In<std::int64_t>> index, const Factors &factors) {
  if (factors.empty() || factors.size() > kMaxFactors) throw nb::value_error("ExactSums.add: 1 to 4 factors");
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
  if (!at)
    add_one_sum(self.sums[0], f, n);
  else if (n >= 16 * self.size())
    add_sorted(self, at, f, n);
  else
    add_rows(self, at, f, n);
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
  nb::object number =
      nb::module_::import_("builtins")
          .attr("int")
          .attr("from_bytes")(nb::bytes(words.data(), words.size() * 4), "little", nb::arg("signed") = true);
  const int zeros = __builtin_ctzll(static_cast<std::uint64_t>(sum.chunk(first)));
  return nb::make_tuple(number.attr("__rshift__")(zeros), 1074 - 32 * first - zeros);
}

void add_words(ExactSums &self, std::int64_t index, std::int64_t chunk, nb::bytes words) {
  const auto n = static_cast<std::int64_t>(words.size()) / 4;
  if (index < 0 || index >= self.size()) throw nb::index_error("ExactSums.add_words: index");
  if (n < 1 || chunk < 0 || chunk + n > Superaccumulator::kChunks + 1)
    throw nb::value_error("ExactSums.add_words: beyond the range of the sums");
  std::vector<std::uint32_t> copy(static_cast<std::size_t>(n));
  std::memcpy(copy.data(), words.c_str(), copy.size() * 4);
  self.sums[static_cast<std::size_t>(index)].add_words(static_cast<int>(chunk), copy.data(), static_cast<int>(n));
}

nb::list fractions(const ExactSums &self) {
  nb::list out;
  for (const auto &sum : self.sums) out.append(exact(sum));
  return out;
}

} // namespace

void bind_accumulate(nb::module_ &m) {
  nb::class_<ExactSums>(m, "ExactSums", "k sums of float64 without rounding, addressed by index.")
      .def(nb::init<std::int64_t>(), nb::arg("k"))
      .def("__len__", &ExactSums::size)
      .def(
          "add",
          [](ExactSums &self, std::optional<In<std::int64_t>> index, nb::args args) {
            Factors factors;
            for (nb::handle factor : args) factors.push_back(nb::cast<Doubles>(factor));
            add(self, index, factors);
          },
          nb::arg("index").none(), nb::arg("factors"),
          "Add the exact products of the factors (float64 arrays of one length) to the sums named by index (int64;\n"
          "None: the first sum).")
      .def("merge", &ExactSums::merge, "Add the sums of another.")
      .def("total", &ExactSums::total, "One sum: of all of these.")
      .def("copy", [](const ExactSums &self) { return ExactSums(self); })
      .def("add_words", &add_words,
           "Add a little-endian two's complement integer, in units of 2**(32 * chunk - 1074), to one sum.")
      .def("fractions", &fractions,
           "A list of (numerator, e), meaning numerator / 2**e, with an odd numerator or (0, 0); a float where the\n"
           "sum is not finite.");
}
