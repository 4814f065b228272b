// A tile of rows lies transposed, one row per lane. Each component in turn subtracts its mean, multiplies by its
// inverse Cholesky factor (four rows of the factor times a few vectors of data stay in registers), and leaves a
// log-density per row. When the tile's posterior probabilities are known, each component adds its moments about its own
// mean: about anything else the variances of narrow components far apart would cancel.
//
// Arithmetic per row and component: D^2 / 2 fused multiply-adds for the density, as many for the moments, one exp.
#pragma once

#include "math.hpp"
#include "mixtures.hpp"
#include "transpose.hpp"

namespace neglog {
namespace NEGLOG_ISA {

constexpr int kWide = kVectorBytes == 64 ? 4 : 2; // 4 x kWide sums beside their factors fit the registers
constexpr int kLanes = Lanes<VecD>::n;
constexpr int kGroup = kWide * kLanes; // rows that pass through a product together

inline int64_t
tile_rows(int64_t columns) { // near the first-level cache, but long enough to pay for adding up the lanes
  const int64_t rows = 4096 / columns;
  return (rows < 256 ? 256 : rows > 512 ? 512 : rows) / kGroup * kGroup;
}

// f(constant) with the number of rows of this block of four
template <int N> struct Count {
  static constexpr int n = N;
};
template <class F> inline void by_fours(int64_t rest, F &&f) {
  switch (rest) {
  case 1: return f(Count<1>{});
  case 2: return f(Count<2>{});
  case 3: return f(Count<3>{});
  default: return f(Count<4>{});
  }
}

struct MixtureTile {
  const MixtureJob &job;
  int64_t width; // rows that there is room for, and a cache line: powers of two would meet in the same few sets
  double *x, *y; // [D][width]: rows, and less a component's mean
  double *log_p; // [K][width]: log-densities, then posterior probabilities times weight
  double *scaled, *weight;
  int64_t rows = 0, used = 0; // rows that there are, and in whole groups

  const double *mean(int64_t k) const { return job.means + k * job.columns; }
  const double *factor(int64_t k) const { return job.whiten + k * job.second(); }
};

// The last row is repeated until the group is full: with weight 0, so that it counts once.
template <class T> inline void fill_tile(MixtureTile &tile, const T *x, const double *weight, int64_t rows) {
  const int64_t d = tile.job.columns, used = (rows + kGroup - 1) / kGroup * kGroup;
  int64_t i = 0;
  if constexpr (sizeof(T) == sizeof(double))
    for (; i + kLanes <= rows; i += kLanes) load_rows(x + i * d, d, d, tile.x + i, tile.width);
  for (; i < used; ++i) {
    const T *from = x + (i < rows ? i : rows - 1) * d;
    for (int64_t j = 0; j < d; ++j) tile.x[j * tile.width + i] = static_cast<double>(from[j]);
  }
  for (i = 0; i < used; ++i) tile.weight[i] = i < rows ? weight ? weight[i] : 1.0 : 0.0;
  tile.rows = rows, tile.used = used;
}

// y[j * step] = x - mean for rows [at, at + rows)
inline void centre(const MixtureTile &tile, int64_t k, int64_t at, int64_t rows, int64_t step) {
  for (int64_t j = 0; j < tile.job.columns; ++j) {
    const double *from = tile.x + j * tile.width + at;
    const VecD mean = splat<VecD>(tile.mean(k)[j]);
    for (int64_t t = 0; t < rows; t += kLanes) store(tile.y + j * step + t, load<VecD>(from + t) - mean);
  }
}

// square += |M y|^2 over N rows of M for one group, y at [j * kGroup]
template <int N>
inline void add_square(const double *m, int64_t d, int64_t terms, const double *y, VecD (&square)[kWide]) {
  VecD z[N][kWide] = {};
  for (int64_t j = 0; j < terms; ++j) {
    VecD v[kWide];
    for (int t = 0; t < kWide; ++t) v[t] = load<VecD>(y + j * kGroup + t * kLanes);
    for (int i = 0; i < N; ++i) {
      const VecD entry = splat<VecD>(m[i * d + j]);
      for (int t = 0; t < kWide; ++t) z[i][t] = madd(entry, v[t], z[i][t]);
    }
  }
  for (int i = 0; i < N; ++i)
    for (int t = 0; t < kWide; ++t) square[t] = madd(z[i][t], z[i][t], square[t]);
}

inline void put_density(const MixtureTile &tile, int64_t k, int64_t at, const VecD (&square)[kWide]) {
  const VecD offset = splat<VecD>(tile.job.offset[k]), half = splat<VecD>(-0.5);
  for (int t = 0; t < kWide; ++t) store(tile.log_p + k * tile.width + at + t * kLanes, madd(square[t], half, offset));
}

inline void log_density(const MixtureTile &tile, int64_t k) {
  const int64_t d = tile.job.columns;
  const double *m = tile.factor(k);
  for (int64_t at = 0; at < tile.used; at += kGroup) {
    VecD square[kWide] = {};
    centre(tile, k, at, kGroup, kGroup);
    for (int64_t i = 0; i < d; i += 4)
      by_fours(d - i, [&](auto count) { // beyond the diagonal there are zeros
        add_square<count.n>(m + i * d, d, i + count.n, tile.y, square);
      });
    put_density(tile, k, at, square);
  }
}

// components [k, k + N), without correlations
template <int N> inline void log_density_diagonal(const MixtureTile &tile, int64_t k) {
  for (int64_t at = 0; at < tile.used; at += kGroup) {
    VecD square[N][kWide] = {};
    for (int64_t j = 0; j < tile.job.columns; ++j) {
      VecD x[kWide];
      for (int t = 0; t < kWide; ++t) x[t] = load<VecD>(tile.x + j * tile.width + at + t * kLanes);
      for (int i = 0; i < N; ++i) {
        const VecD mean = splat<VecD>(tile.mean(k + i)[j]), per_deviation = splat<VecD>(tile.factor(k + i)[j]);
        for (int t = 0; t < kWide; ++t) {
          const VecD z = (x[t] - mean) * per_deviation;
          square[i][t] = madd(z, z, square[i][t]);
        }
      }
    }
    for (int i = 0; i < N; ++i) put_density(tile, k + i, at, square[i]);
  }
}

// log_p becomes the posterior times the weight; returns the sum of weight * nll
inline double normalise(const MixtureTile &tile, double *nll, double *posterior) {
  const int64_t components = tile.job.components, width = tile.width;
  VecD sum{};
  for (int64_t at = 0; at < tile.used; at += kLanes) {
    double *p = tile.log_p + at;
    VecD top = splat<VecD>(-kInf), total{};
    for (int64_t k = 0; k < components; ++k) top = max_or_second(load<VecD>(p + k * width), top);
    const VecD shift = top == -kInf ? VecD{} : top; // a row that no component reaches: 0 / 0, and its nll is inf
    for (int64_t k = 0; k < components; ++k) {
      const VecD e = exp(load<VecD>(p + k * width) - shift);
      store(p + k * width, e);
      total += e;
    }
    const VecD value = -(shift + log(total)), weight = load<VecD>(tile.weight + at), per_total = 1.0 / total;
    const int some = tile.rows - at < kLanes ? static_cast<int>(tile.rows - at) : kLanes;
    if (nll && some > 0) store_first(nll + at, some, value);
    sum += weight == 0.0 ? VecD{} : weight * value;
    for (int64_t k = 0; k < components; ++k) {
      const VecD r = load<VecD>(p + k * width) * per_total;
      if (posterior)
        for (int i = 0; i < some; ++i) posterior[(at + i) * components + k] = r[i];
      store(p + k * width, weight == 0.0 ? VecD{} : weight * r);
    }
  }
  return sum_lanes(sum);
}

inline double sum_row(const double *x, int64_t n) {
  VecD sum{};
  for (int64_t t = 0; t < n; t += kLanes) sum += load<VecD>(x + t);
  return sum_lanes(sum);
}

// to[i][j] += sum over rows of a_i b_j for N x M pairs
template <int N, int M>
inline void add_products(const double *a, const double *b, int64_t width, int64_t rows, double *to, int64_t step) {
  VecD sum[N][M] = {};
  for (int64_t t = 0; t < rows; t += kLanes) {
    VecD left[N];
    for (int i = 0; i < N; ++i) left[i] = load<VecD>(a + i * width + t);
    for (int j = 0; j < M; ++j) {
      const VecD right = load<VecD>(b + j * width + t);
      for (int i = 0; i < N; ++i) sum[i][j] = madd(left[i], right, sum[i][j]);
    }
  }
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < M; ++j) to[i * step + j] += sum_lanes(sum[i][j]);
}

// sums: of w r, w r y, w r y y' of this component
inline void add_moments(const MixtureTile &tile, int64_t k, double *sums) {
  const int64_t d = tile.job.columns, width = tile.width, used = tile.used;
  const double *r = tile.log_p + k * width;
  double *first = sums + 1, *second = first + d;
  *sums += sum_row(r, used);
  centre(tile, k, 0, used, width);
  for (int64_t i = 0; i < d; i += 4)
    by_fours(d - i, [&](auto rows) {
      for (int a = 0; a < rows.n; ++a) {
        const double *y = tile.y + (i + a) * width;
        VecD sum{};
        for (int64_t t = 0; t < used; t += kLanes) {
          const VecD scaled = load<VecD>(r + t) * load<VecD>(y + t);
          store(tile.scaled + a * width + t, scaled);
          sum += scaled;
        }
        first[i + a] += sum_lanes(sum);
      }
      for (int64_t j = 0; j < i + rows.n; j += kWide) {
        const double *b = tile.y + j * width;
        double *to = second + i * d + j;
        if (d - j >= kWide)
          add_products<rows.n, kWide>(tile.scaled, b, width, used, to, d);
        else
          by_fours(d - j, [&](auto columns) {
            if constexpr (columns.n < kWide) add_products<rows.n, columns.n>(tile.scaled, b, width, used, to, d);
          });
      }
    });
}

// sums: of w r, w r y, w r y^2 of components [k, k + N), whose sums are `step` apart
template <int N> inline void add_squares(const MixtureTile &tile, int64_t k, double *sums, int64_t step) {
  const int64_t d = tile.job.columns, width = tile.width;
  const double *r = tile.log_p + k * width;
  for (int i = 0; i < N; ++i) sums[i * step] += sum_row(r + i * width, tile.used);
  for (int64_t j = 0; j < d; ++j) {
    VecD one[N] = {}, two[N] = {};
    for (int64_t t = 0; t < tile.used; t += kLanes) {
      const VecD x = load<VecD>(tile.x + j * width + t);
      for (int i = 0; i < N; ++i) {
        const VecD y = x - splat<VecD>(tile.mean(k + i)[j]), scaled = load<VecD>(r + i * width + t) * y;
        one[i] += scaled;
        two[i] = madd(scaled, y, two[i]);
      }
    }
    for (int i = 0; i < N; ++i) {
      sums[i * step + 1 + j] += sum_lanes(one[i]);
      sums[i * step + 1 + d + j] += sum_lanes(two[i]);
    }
  }
}

// f(k, constant): components k, k + 1 ... as many as the constant says
template <class F> inline void each_component(const MixtureJob &job, F &&f) {
  for (int64_t k = 0; k < job.components; k += 4) by_fours(job.components - k, [&](auto count) { f(k, count); });
}

template <class T> void mixture_rows(const MixtureJob &job, int64_t begin, int64_t end, double *sums) {
  const int64_t d = job.columns, components = job.components, room = tile_rows(d), width = room + 8;
  const int64_t step = 1 + d + job.second();
  auto *memory =
      static_cast<double *>(__builtin_malloc(static_cast<size_t>((2 * d + components + 5) * width) * sizeof(double)));
  MixtureTile tile{job,
                   width,
                   memory,
                   memory + d * width,
                   memory + 2 * d * width,
                   memory + (2 * d + components) * width,
                   memory + (2 * d + components + 4) * width};
  for (int64_t at = begin; at < end; at += room) {
    const int64_t rows = end - at < room ? end - at : room;
    fill_tile(tile, static_cast<const T *>(job.x) + at * d, job.weight ? job.weight + at : nullptr, rows);
    if (job.diagonal)
      each_component(job, [&](int64_t k, auto count) { log_density_diagonal<count.n>(tile, k); });
    else
      for (int64_t k = 0; k < components; ++k) log_density(tile, k);
    const double nll =
        normalise(tile, job.nll ? job.nll + at : nullptr, job.posterior ? job.posterior + at * components : nullptr);
    if (!sums) continue;
    sums[0] += nll, sums[1] += sum_row(tile.weight, tile.used);
    if (job.diagonal)
      each_component(job, [&](int64_t k, auto count) { add_squares<count.n>(tile, k, sums + 2 + k * step, step); });
    else
      for (int64_t k = 0; k < components; ++k) add_moments(tile, k, sums + 2 + k * step);
  }
  __builtin_free(memory);
}

} // namespace NEGLOG_ISA
} // namespace neglog
