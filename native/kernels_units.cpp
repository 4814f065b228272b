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

template <class R> void units_rows(const UnitsJob &job, int64_t begin, int64_t end) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  const V scale = splat<V>(static_cast<R>(job.scale)), one = splat<V>(R(1));
  const auto *bias = static_cast<const R *>(job.bias);
  alignas(64) uint32_t words[kWords];
  for (int64_t row = begin; row < end; ++row) {
    const auto *input = static_cast<const R *>(job.input) + row * job.width;
    auto *probability = job.probability ? static_cast<R *>(job.probability) + row * job.width : nullptr;
    auto *sample = job.sample ? static_cast<R *>(job.sample) + row * job.width : nullptr;
    Softplus softplus;
    for (int64_t at = 0; at < job.width; at += L) {
      const int n = job.width - at < L ? static_cast<int>(job.width - at) : L;
      if (sample && at % kWords == 0)
        philox(job.key, job.stream, static_cast<uint32_t>(row), static_cast<uint32_t>(at / kWords), words);
      V x = n == L ? madd(load<V>(input + at), scale, load<V>(bias + at))
                   : madd(load_first<V>(input + at, n, R(0)), scale, load_first<V>(bias + at, n, R(-kInf)));
      const V e = exp(-absolute(x)), larger = one / (one + e), smaller = e * larger;
      if (sample) {
        const V state = drawn(x, smaller, words + at % kWords);
        n == L ? store(sample + at, state) : store_first(sample + at, n, state);
      }
      if (probability) {
        const V p = x > R(0) ? larger : smaller;
        n == L ? store(probability + at, p) : store_first(probability + at, n, p);
      }
      if constexpr (sizeof(R) == 8)
        if (job.softplus) softplus.add(x, e);
    }
    if (job.softplus) job.softplus[row] = softplus.total();
  }
}

void units(const UnitsJob &job, int64_t begin, int64_t end) {
  job.wide ? units_rows<double>(job, begin, end) : units_rows<float>(job, begin, end);
}

template <class R> void shares_of(const SharesJob &job) {
  auto *visible_sum = static_cast<R *>(job.visible_sum), *hidden_sum = static_cast<R *>(job.hidden_sum);
  __builtin_memset(visible_sum, 0, static_cast<size_t>(job.visible_width) * sizeof(R));
  __builtin_memset(hidden_sum, 0, static_cast<size_t>(job.hidden_width) * sizeof(R));
  for (int64_t row = 0; row < job.rows; ++row) {
    const R share = static_cast<const R *>(job.share)[row];
    const R *v = static_cast<const R *>(job.visible) + row * job.visible_width;
    R *h = static_cast<R *>(job.hidden) + row * job.hidden_width;
    for (int64_t i = 0; i < job.visible_width; ++i) visible_sum[i] += share * v[i];
    for (int64_t j = 0; j < job.hidden_width; ++j) hidden_sum[j] += h[j] *= share;
  }
}

void shares(const SharesJob &job) { job.wide ? shares_of<double>(job) : shares_of<float>(job); }

} // namespace

const UnitsKernels &units_kernels();
const UnitsKernels &units_kernels() {
  static const UnitsKernels table{units, shares, philox};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
