#include "binary_product.hpp"
#include "math.hpp"
#include "philox.hpp"
#include "units.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace {

// Lanes that are 1: those whose 31 random bits are below 2^31 times the smaller of the probabilities of 1 and 0 are in
// the less likely state. Exact to 2^-31 for both, and what is certain is never missed.
inline VecF drawn(VecF x, VecF smaller, const uint32_t *words) {
  VecU32 u;
  __builtin_memcpy(&u, words, sizeof u);
  const VecI32 unlikely = bits<VecI32>(u >> 1) < __builtin_convertvector(smaller * 0x1p31f, VecI32);
  const VecF state = (unlikely ^ (x > 0.0f)) ? splat<VecF>(1.0f) : VecF{};
  return x == x ? state : x;
}
inline VecD drawn(VecD x, VecD smaller, const uint32_t *words) {
  HalfI32 u;
  __builtin_memcpy(&u, words, sizeof u);
  const VecD below = __builtin_convertvector((u >> 1) & 0x7fffffff, VecD) + 1.0;
  const VecD state = ((below <= smaller * 0x1p31) ^ (x > 0.0)) ? splat<VecD>(1.0) : VecD{};
  return x == x ? state : x;
}

// sum log(1 + exp(x)) = sum max(x, 0) + log prod(1 + exp(-|x|)): one logarithm for many terms. Each factor is at most
// 2. Absolute error: that of adding up the terms.
struct Softplus {
  VecD positive{}, product = splat<VecD>(1.0), logarithm{};
  int factors = 0;
  void add(VecD x, VecD e) {
    positive += max_or_second(x, VecD{});
    product *= 1.0 + e;
    if (++factors == 1000) flush();
  }
  void flush() {
    logarithm += log(product);
    product = splat<VecD>(1.0), factors = 0;
  }
  double total() {
    flush();
    return sum_lanes(positive + logarithm);
  }
};

// Columns [at, end) of a row.
template <class R>
inline void units_part(UnitsJob job, int64_t row, int64_t at, int64_t end, const uint32_t *words, Softplus &softplus) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const int64_t drawn_row = row - job.first_sampled;
  const auto *bias = static_cast<const R *>(job.bias), *input = static_cast<const R *>(job.input) + row * job.width;
  auto *probability = job.probability ? static_cast<R *>(job.probability) + row * job.width : nullptr;
  auto *sample = job.sample && drawn_row >= 0 ? static_cast<R *>(job.sample) + drawn_row * job.width : nullptr;
  const V scale = splat<V>(static_cast<R>(job.scale)), one = splat<V>(R(1));
  for (; at < end; at += L, words += L) {
    const int n = end - at < L ? static_cast<int>(end - at) : L;
    const V x = n == L ? madd(load<V>(input + at), scale, load<V>(bias + at))
                       : madd(load_first<V>(input + at, n, R(0)), scale, load_first<V>(bias + at, n, R(-kInf)));
    const V e = exp(-absolute(x)), larger = one / (one + e), smaller = e * larger;
    if (sample) {
      const V state = drawn(x, smaller, words);
      n == L ? store(sample + at, state) : store_first(sample + at, n, state);
    }
    if (probability) {
      const V p = x > R(0) ? larger : smaller;
      n == L ? store(probability + at, p) : store_first(probability + at, n, p);
    }
    if constexpr (sizeof(R) == 8)
      if (job.softplus) softplus.add(x, e);
  }
}

template <class R> void units_rows(const UnitsJob &job, int64_t begin, int64_t end) {
  constexpr int some = 2;       // rows at a time, and
  constexpr int64_t part = 512; // columns
  static_assert(part % kWords == 0);
  alignas(64) uint32_t words[some * part];
  for (int64_t row = begin; row < end; row += some) {
    Softplus softplus[some];
    for (int64_t at = 0; at < job.width; at += part) {
      const int64_t stop = job.width - at < part ? job.width : at + part;
      if (job.sample && row + some > job.first_sampled)
        for (int64_t i = at; i < stop; i += kWords)
          philox<some>(job.key, job.stream, static_cast<uint32_t>(row - job.first_sampled),
                       static_cast<uint32_t>(i / kWords), words + (i - at), part);
      for (int i = 0; i < some && row + i < end; ++i)
        units_part<R>(job, row + i, at, stop, words + i * part, softplus[i]);
    }
    for (int i = 0; job.softplus && i < some && row + i < end; ++i) job.softplus[row + i] = softplus[i].total();
  }
}

void units(const UnitsJob &job, int64_t begin, int64_t end) {
  job.wide ? units_rows<double>(job, begin, end) : units_rows<float>(job, begin, end);
}

// bias += sum over rows of share * row
template <class R, class Row> void add_shares(const SharesJob &job, int64_t width, Row &&row_of, void *bias) {
  R *sum = static_cast<R *>(job.sums), *to = static_cast<R *>(bias);
  __builtin_memset(sum, 0, static_cast<size_t>(width) * sizeof(R));
  for (int64_t row = 0; row < job.rows; ++row) row_of(row, static_cast<const R *>(job.share)[row], sum);
  for (int64_t i = 0; i < width; ++i) to[i] += sum[i];
}
template <class R> void shares_of(const SharesJob &job) {
  const auto visible = [&](int64_t row, R share, R *__restrict sum) {
    const R *v = static_cast<const R *>(job.visible) + row * job.visible_width;
    for (int64_t i = 0; i < job.visible_width; ++i) sum[i] += share * v[i];
  };
  const auto hidden = [&](int64_t row, R share, R *__restrict sum) {
    R *h = static_cast<R *>(job.hidden) + row * job.hidden_width;
    for (int64_t j = 0; j < job.hidden_width; ++j) sum[j] += h[j] *= share;
  };
  add_shares<R>(job, job.visible_width, visible, job.visible_bias);
  add_shares<R>(job, job.hidden_width, hidden, job.hidden_bias);
}

bool pack(const View &states, uint64_t *bits) {
  return states.wide ? binary_product::pack<double>(states, bits) : binary_product::pack<float>(states, bits);
}
void multiply(const BinaryProductJob &job, int64_t begin, int64_t end) {
  job.matrix.wide ? binary_product::multiply<double>(job, begin, end)
                  : binary_product::multiply<float>(job, begin, end);
}

void philox_block(uint64_t key, uint64_t stream, uint32_t row, uint32_t block, uint32_t *out) {
  philox<1>(key, stream, row, block, out, 0);
}

void shares(const SharesJob &job) { job.wide ? shares_of<double>(job) : shares_of<float>(job); }

} // namespace

const UnitsKernels &units_kernels();
const UnitsKernels &units_kernels() {
  static const UnitsKernels table{units, pack, multiply, shares, philox_block};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
