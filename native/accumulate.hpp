// A sum of doubles without rounding: R. Neal, "Fast exact summation using small and large superaccumulators" (2015),
// the small one. Chunk i counts units of 2^(32 i - 1074); chunks overlap, so an addition touches two or three of them
// and carries wait. Addition of integers commutes: the sum does not depend on order, partition or threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace neglog {

class Superaccumulator {
public:
  // 2098 bits from 2^-1074 to 2^1024, and 2^40 additions of the largest double
  static constexpr int kChunks = 67;

  void add(double x) {
    std::uint64_t u;
    std::memcpy(&u, &x, sizeof u);
    const int exponent = static_cast<int>(u >> 52) & 0x7ff;
    std::int64_t m = static_cast<std::int64_t>(u & 0xfffffffffffff);
    if (exponent == 0x7ff) {
      special_ = special_ + x; // inf, NaN, and NaN of inf - inf
      finite_ = false;
      return;
    }
    const int at = exponent ? exponent - 1 : 0;
    if (exponent) m |= std::int64_t{1} << 52;
    const int chunk = at >> 5, shift = at & 31;
    const auto low = static_cast<std::int64_t>((static_cast<std::uint64_t>(m) << shift) & 0xffffffff);
    const std::int64_t high = m >> (32 - shift); // below 2^52
    if (u >> 63) {
      chunks_[chunk] -= low;
      chunks_[chunk + 1] -= high;
    } else {
      chunks_[chunk] += low;
      chunks_[chunk + 1] += high;
    }
    if (++pending_ == kPending) carry();
  }

  void merge(const Superaccumulator &other) {
    if (!other.finite_) special_ = special_ + other.special_, finite_ = false;
    carry();
    Superaccumulator theirs = other;
    theirs.carry();
    for (int i = 0; i < kChunks; ++i) chunks_[i] += theirs.chunks_[i];
    carry();
  }

  bool finite() const { return finite_; }
  double special() const { return special_; }

  // Every chunk but the last into [0, 2^32); the last carries the sign.
  void carry() {
    std::int64_t c = 0;
    for (int i = 0; i < kChunks - 1; ++i) {
      const std::int64_t sum = chunks_[i] + c;
      chunks_[i] = sum & 0xffffffff;
      c = sum >> 32;
    }
    chunks_[kChunks - 1] += c;
    pending_ = 0;
  }
  std::int64_t chunk(int i) const { return chunks_[i]; }

  // Adds the little-endian two's complement integer of n words, counted in units of chunk `first`.
  void add_words(int first, const std::uint32_t *words, int n) {
    for (int i = 0; i < n; ++i) {
      const std::int64_t word = i == n - 1 ? static_cast<std::int32_t>(words[i]) : std::int64_t{words[i]};
      if (first + i < kChunks)
        chunks_[first + i] += word;
      else // the last chunk has room for one more word
        chunks_[kChunks - 1] += word * (std::int64_t{1} << 32);
    }
    carry();
  }

private:
  static constexpr int kPending = 1 << 10; // 2^10 additions below 2^52 stay below 2^63
  std::int64_t chunks_[kChunks] = {};
  double special_ = 0;
  int pending_ = 0;
  bool finite_ = true;
};

// a b = high + low without error, unless it underflows
inline double product_error(double a, double b, double high) { return std::fma(a, b, -high); }

// k exact sums, addressed by index: one per class, per bin ...
struct ExactSums {
  std::vector<Superaccumulator> sums;
  explicit ExactSums(std::int64_t k) : sums(static_cast<std::size_t>(k)) {}
  std::int64_t size() const { return static_cast<std::int64_t>(sums.size()); }
  void merge(const ExactSums &other) {
    if (other.size() != size()) throw std::invalid_argument("ExactSums.merge: different numbers of sums");
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i].merge(other.sums[i]);
  }
  ExactSums total() const {
    ExactSums one(1);
    for (const auto &sum : sums) one.sums[0].merge(sum);
    return one;
  }
};

} // namespace neglog
