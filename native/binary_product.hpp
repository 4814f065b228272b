// Products of a matrix of zeros and ones with a real one, a quarter of the additions and no multiplication: the method
// of the four Russians (Arlazarov, Dinic, Kronrod & Faradzhev, 1970). Four rows of the real matrix have 16 sums, which
// take 11 additions; after that one addition does for four rows.
#pragma once

#include "transpose.hpp"
#include "units.hpp"

namespace neglog {
namespace NEGLOG_ISA {
namespace binary_product {

constexpr int kGroup = 4, kSums = 1 << kGroup;
constexpr int kTogether = 4;         // tables
constexpr int kGroups = 64 / kGroup; // of a word of states: their tables take 16 KiB of the first cache

// What is done at a time: a cache line of columns.
template <class R> constexpr int kWidth = kLine / sizeof(R);

// States as bits, (words, rows), zeroed before; false if one is neither 0 nor 1.
template <class R> bool pack_rows(View states, uint64_t *bits) { // the states of a row lie side by side
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  for (int64_t row = 0; row < states.rows; ++row) {
    const R *state = static_cast<const R *>(states.data) + row * states.row_step;
    Int<V> bad{};
    for (int64_t at = 0; at < states.columns; at += L) {
      const V x = states.columns - at >= L ? load<V>(state + at)
                                           : load_first<V>(state + at, static_cast<int>(states.columns - at), R(0));
      const Int<V> on = x != V{};
      bad |= on & (x != splat<V>(R(1)));
      bits[at / 64 * states.rows + row] |= static_cast<uint64_t>(lane_bits(on)) << at % 64;
    }
    if (any(bad)) return false;
  }
  return true;
}
template <class R> bool pack_columns(View states, uint64_t *bits) { // those of a column do
  for (int64_t column = 0; column < states.columns; ++column) {
    const R *state = static_cast<const R *>(states.data) + column * states.column_step;
    uint64_t *word = bits + column / 64 * states.rows, bad = 0;
    for (int64_t row = 0; row < states.rows; ++row) {
      word[row] |= static_cast<uint64_t>(state[row] != R(0)) << column % 64;
      bad |= (state[row] != R(0)) & (state[row] != R(1));
    }
    if (bad) return false;
  }
  return true;
}
template <class R> bool pack(View states, uint64_t *bits) {
  return states.column_step == 1 ? pack_rows<R>(states, bits) : pack_columns<R>(states, bits);
}

// tables[(16 g + s) width ...] = the sum of those of rows 4 g ... 4 g + 3 whose bit is in s; from row `count` on zeros.
template <class R> void fill_tables(const R *rows, int64_t step, int count, int n, int groups, R *tables) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n;
  for (int g = 0; g < groups; ++g)
    for (int at = 0; at < kWidth<R>; at += L) {
      R *table = tables + g * kSums * kWidth<R> + at;
      V sums[kSums] = {};
#pragma GCC unroll 4
      for (int i = 0; i < kGroup; ++i) {
        const R *row = rows + (kGroup * g + i) * step + at;
        const V one = kGroup * g + i >= count || at >= n ? V{}
                      : n - at >= L                      ? load<V>(row)
                                                         : load_first<V>(row, n - at, R(0));
#pragma GCC unroll 8
        for (int s = 0; s < 1 << i; ++s) sums[(1 << i) + s] = s ? sums[s] + one : one;
      }
#pragma GCC unroll 16
      for (int s = 0; s < kSums; ++s) store(table + s * kWidth<R>, sums[s]);
    }
}

// A line of each row of the result: the sum of one entry of each table, four tables at a time.
template <class R>
[[gnu::always_inline]] inline void add_up(const R *tables, int groups, BinaryProductJob job, const uint64_t *words,
                                          bool add, int n, R *out) {
  using V = Vec<R>;
  constexpr int L = Lanes<V>::n, vectors = kWidth<R> / L, size = kSums * kWidth<R>;
  for (int64_t row = 0; row < job.rows; ++row, out += job.matrix.columns) {
    uint64_t word = words[row];
    V sum[vectors] = {};
    const R *table = tables;
    for (int g = 0; g < groups; g += kTogether, table += kTogether * size, word >>= kTogether * kGroup)
#pragma GCC unroll 4
      for (int i = 0; i < kTogether; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v)
          sum[v] += load<V>(table + i * size + (word >> i * kGroup & (kSums - 1)) * kWidth<R> + v * L);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const int some = n - v * L;
      if (some >= L)
        store(out + v * L, add ? load<V>(out + v * L) + sum[v] : sum[v]);
      else if (some > 0)
        store_first(out + v * L, some, add ? load_first<V>(out + v * L, some, R(0)) + sum[v] : sum[v]);
    }
  }
}

// `count` rows of `n` columns of a matrix that is turned.
template <class R> void turn(const R *from, int64_t step, int64_t count, int n, R *panel) {
  constexpr int L = Lanes<Vec<R>>::n;
  int i = 0;
  for (; i + L <= n; i += L) load_rows(from + i * step, step, count, panel + i, kWidth<R>);
  for (; i < n; ++i)
    for (int64_t k = 0; k < count; ++k) panel[k * kWidth<R> + i] = from[i * step + k];
}

// Lines [begin, end) of the columns. Sums of 64 terms are added up in order: the same whoever does which lines.
template <class R> void multiply(const BinaryProductJob &job, int64_t begin, int64_t end) {
  constexpr int width = kWidth<R>;
  alignas(64) R tables[kGroups * kSums * width], panel[64 * width];
  const View matrix = job.matrix;
  const bool turned = matrix.column_step != 1;
  for (int64_t column = begin * width; column < end * width && column < matrix.columns; column += width)
    for (int64_t at = 0; at == 0 || at < matrix.rows; at += 64) {
      const int n = static_cast<int>(matrix.columns - column < width ? matrix.columns - column : width);
      const int count = static_cast<int>(matrix.rows - at < 64 ? matrix.rows - at : 64);
      const R *from = static_cast<const R *>(matrix.data) + at * matrix.row_step + column * matrix.column_step;
      const int groups = (count + kTogether * kGroup - 1) / (kTogether * kGroup) * kTogether;
      if (turned) turn(from, matrix.column_step, count, n, panel);
      fill_tables(turned ? panel : from, turned ? width : matrix.row_step, count, n, groups, tables);
      const uint64_t *words = job.bits + at / 64 * job.rows;
      auto *out = static_cast<R *>(job.out) + column;
      if (groups == kGroups) // a number that the compiler knows: a tenth faster
        add_up(tables, kGroups, job, words, job.add || at, n, out);
      else
        add_up(tables, groups, job, words, job.add || at, n, out);
    }
}

} // namespace binary_product
} // namespace NEGLOG_ISA
} // namespace neglog
