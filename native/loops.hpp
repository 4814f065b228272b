// Families over arrays: one loop for all of them. Rows may be exact or censored, each argument one number or one per
// row, float32 or float64; arithmetic is float64 and results are rounded once.
#pragma once

#include "family.hpp"
#include "family_job.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// ------------------------------------------------------------------------------------------------ intervals (lo, hi]

// log of a sum of densities: value, gradient and Hessian of log sum_i exp(log_weight_i - nll_i), by one pass that
// keeps the largest term, the weighted mean of the gradients and of the Hessians, and the spread of the gradients.
template <int P> class LogMean {
public:
  void add(double log_weight, const Jet<P, double> &nll) {
    const double term = log_weight - nll.value;
    if (!(term > -kInf)) return;
    if (term > top_) {
      const double shrink = exp(top_ - term);
      top_ = term, total_ *= shrink;
      for (auto &row : spread_)
        for (double &x : row) x *= shrink;
    }
    const double weight = exp(term - top_);
    total_ += weight;
    const double share = weight / total_;
    for (int i = 0; i < P; ++i) {
      before_[i] = nll.grad[i] - mean_.grad[i];
      mean_.grad[i] += share * before_[i];
    }
    for (int i = 0; i < P; ++i)
      for (int j = i; j < P; ++j) {
        spread_[i][j] += weight * before_[i] * (nll.grad[j] - mean_.grad[j]);
        mean_.hess[i][j] += share * (nll.hess[i][j] - mean_.hess[i][j]);
      }
  }

  Jet<P, double> log_sum() const {
    if (!(top_ > -kInf)) return impossible<P>();
    Jet<P, double> out = {};
    out.value = top_ + log(total_);
    for (int i = 0; i < P; ++i) out.grad[i] = -mean_.grad[i];
    for (int i = 0; i < P; ++i)
      for (int j = i; j < P; ++j) out.hess[i][j] = spread_[i][j] / total_ - mean_.hess[i][j];
    return out;
  }

private:
  double top_ = -kInf, total_ = 0, before_[P] = {}, spread_[P][P] = {};
  Jet<P, double> mean_ = {};
};

// A narrow interval of a continuous family: the density is smooth there, and on a positive support smooth in log y.
template <class F> inline Jet<F::P, double> integrate_density(double lo, double hi, const double *p) {
  LogMean<F::P> mean;
  if constexpr (F::low == 0) {
    const double width = log1p((hi - lo) / lo);
    gauss_legendre<double>(0, width, [&](double v, double weight) {
      const double y = lo * exp(v);
      mean.add(log(weight) + log(y), F::template nll<2>(y, p));
    });
  } else {
    gauss_legendre<double>(0, hi - lo,
                           [&](double v, double weight) { mean.add(log(weight), F::template nll<2>(lo + v, p)); });
  }
  return mean.log_sum();
}

template <class F> inline Jet<F::P, double> sum_masses(double lo, double hi, const double *p) {
  LogMean<F::P> mean;
  // counted, because y + 1 == y from 2^53 on; there neighbouring masses are equal anyway
  for (double i = 1; i <= hi - lo; ++i) mean.add(0.0, F::template nll<2>(lo + i, p));
  return mean.log_sum();
}

// log P(lo < Y <= hi) between the ends of the support. Narrow intervals, where the smaller tail changes by less than a
// factor of exp(1/4), are summed or integrated: their density is nearly constant. Others are the difference of that
// tail at both ends, which costs a factor of 1 / (1 - exp(-1/4)) = 4.5 in accuracy at most.
template <class F> Jet<F::P, double> log_between(double lo, double hi, const double *p) {
  constexpr double log2 = 0.69314718055994530942;
  if (F::discrete && hi - lo <= 16) return sum_masses<F>(lo, hi, p);

  auto big = F::log_cdf(hi, p);
  auto small = F::log_cdf(lo, p);
  if (big.value > -log2) {
    const auto above = F::log_sf(lo, p);
    if (above.value <= -log2) big = above, small = F::log_sf(hi, p);
  }
  if (big.value - small.value > 0.25) return log_difference(big, small);
  if constexpr (!F::discrete) return integrate_density<F>(lo, hi, p);
  // so many terms that the difference keeps more digits than it loses: their number is below the spread of Y
  if (hi - lo > 4096) return log_difference(big, small);
  return sum_masses<F>(lo, hi, p);
}

// log P(lo < Y <= hi) for valid p.
template <class F> Jet<F::P, double> log_window(double lo, double hi, const double *p) {
  constexpr int P = F::P;
  if constexpr (F::discrete) lo = __builtin_floor(lo), hi = __builtin_floor(hi);
  constexpr bool mass_at_low = F::discrete || requires { F::atom; };
  const bool from_low = mass_at_low ? lo < F::low : lo <= F::low, to_high = hi >= F::high;
  const bool empty = !(lo < hi) || lo >= F::high || (mass_at_low ? hi < F::low : hi <= F::low);
  if (empty) return impossible<P>();
  if (from_low && to_high) return certain<P>();
  if (from_low) return F::log_cdf(hi, p);
  if (to_high) return F::log_sf(lo, p);
  if constexpr (requires { F::log_interval(lo, hi, p); })
    return F::log_interval(lo, hi, p);
  else
    return log_between<F>(lo, hi, p);
}

// -------------------------------------------------------------------------------------------------------------- rows

// One row that is not exact: lo < Y <= hi, as its nll (Rows::observed) or as log P (Rows::window).
template <class F> Jet<F::P, double> window_row(Rows rows, double lo, double hi, const double *p) {
  bool nan = lo != lo || hi != hi;
  for (int i = 0; i < F::P; ++i) nan |= p[i] != p[i];
  if (nan) return constant<F::P>(kNaN, kNaN);
  if (!F::valid(p)) return constant<F::P>(rows == Rows::observed ? kInf : kNaN, kNaN);
  auto out = log_window<F>(lo, hi, p);
  if (rows == Rows::window) return out;
  out.value = 0.0 - out.value; // not -0.0 for certainty
  for (int i = 0; i < F::P; ++i) out.grad[i] = -out.grad[i];
  for (int i = 0; i < F::P; ++i)
    for (int j = i; j < F::P; ++j) out.hess[i][j] = -out.hess[i][j];
  return out;
}

template <class F, int Order> Jet<F::P, VecD> exact_rows(VecD y, const VecD *p, const auto &law) {
  auto nan = y != y;
  for (int i = 0; i < F::P; ++i) nan |= p[i] != p[i];
  const auto possible = F::valid(p) & F::inside(y, p);
  auto out = nll_of<F, Order>(y, p, law);
  if (!any<decltype(nan)>(~possible)) return out;
  const VecD none = nan ? splat<VecD>(kNaN) : splat<VecD>(kInf), unknown = splat<VecD>(kNaN);
  out.value = possible ? out.value : none;
  for (int i = 0; i < F::P && Order >= 1; ++i) out.grad[i] = possible ? out.grad[i] : unknown;
  for (int i = 0; i < F::P && Order >= 2; ++i)
    for (int j = i; j < F::P; ++j) out.hess[i][j] = possible ? out.hess[i][j] : unknown;
  return out;
}

// ------------------------------------------------------------------------------------------------------------ memory

constexpr int kLanes = Lanes<VecD>::n;

// Rows [at, at + n), n <= kLanes; the lanes beyond repeat the last row so that they are valid numbers.
inline VecD read(const Argument &a, int64_t at, int n) {
  if (a.single)
    return splat<VecD>(a.is_float ? static_cast<const float *>(a.data)[0] : static_cast<const double *>(a.data)[0]);
  if (n == kLanes) {
    if (!a.is_float) return load<VecD>(static_cast<const double *>(a.data) + at);
    HalfF v;
    __builtin_memcpy(&v, static_cast<const float *>(a.data) + at, sizeof v);
    return widen(v);
  }
  double lane[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const int64_t from = at + (i < n ? i : n - 1);
    lane[i] = a.is_float ? static_cast<const float *>(a.data)[from] : static_cast<const double *>(a.data)[from];
  }
  return load<VecD>(lane);
}

inline void write(void *out, bool is_float, int64_t at, int n, VecD v) {
  if (is_float) {
    const HalfF narrowed = narrow(v);
    auto *to = static_cast<float *>(out) + at;
    if (n == kLanes)
      __builtin_memcpy(to, &narrowed, sizeof narrowed); // one store; a size unknown here is a call
    else
      __builtin_memcpy(to, &narrowed, n * sizeof(float));
  } else {
    auto *to = static_cast<double *>(out) + at;
    if (n == kLanes)
      store(to, v);
    else
      __builtin_memcpy(to, &v, n * sizeof(double));
  }
}

template <int Order, int P> inline void write(const FamilyJob &job, int64_t at, int n, const Jet<P, VecD> &jet) {
  write(job.value, job.float_out, at, n, jet.value);
  for (int i = 0; i < P && Order >= 1; ++i) write(job.grad, job.float_out, i * job.n + at, n, jet.grad[i]);
  for (int i = 0; i < P && Order >= 2; ++i)
    for (int j = 0; j < P; ++j)
      write(job.hess, job.float_out, (i * P + j) * job.n + at, n, i <= j ? jet.hess[i][j] : jet.hess[j][i]);
}

template <int Order, int P> inline void set_lane(Jet<P, VecD> &rows, int lane, const Jet<P, double> &row) {
  rows.value[lane] = row.value;
  for (int i = 0; i < P && Order >= 1; ++i) rows.grad[i][lane] = row.grad[i];
  for (int i = 0; i < P && Order >= 2; ++i)
    for (int j = i; j < P; ++j) rows.hess[i][j][lane] = row.hess[i][j];
}

// Calls body(at) for whole groups, the last of which goes back over rows of the one before: without a shorter one the
// loop holds no size but kLanes. `body` must not depend on what it wrote.
template <class F> inline void each_whole_group(int64_t begin, int64_t end, F &&body) {
  const int64_t last = end - kLanes;
  for (int64_t at = begin; at < end; at += kLanes) body(at < last ? at : last);
}

// Exact rows, at least kLanes, that share their parameters. All in one function, so that the compiler takes out of the
// loop what depends on the parameters alone, unless a branch stands before it: law() is for that.
template <class F, int Order> [[gnu::flatten]] void rows_of_one_law(const FamilyJob &job, int64_t begin, int64_t end) {
  VecD p[F::P];
  for (int i = 0; i < F::P; ++i) p[i] = read(job.parameters[i], begin, kLanes);
  const auto law = prepare<F, Order>(p);
  each_whole_group(begin, end, [&](int64_t at) {
    write<Order>(job, at, kLanes, exact_rows<F, Order>(read(job.y, at, kLanes), p, law));
  });
}

// Values of as many exact rows with parameters of their own, in one function too; derivatives would need more registers
// than there are.
template <class F> [[gnu::flatten]] void values_of_many_laws(const FamilyJob &job, int64_t begin, int64_t end) {
  each_whole_group(begin, end, [&](int64_t at) {
    VecD p[F::P];
    for (int i = 0; i < F::P; ++i) p[i] = read(job.parameters[i], at, kLanes);
    write<0>(job, at, kLanes, exact_rows<F, 0>(read(job.y, at, kLanes), p, prepare<F, 0>(p)));
  });
}

template <class F, int Order> void family_loop(const FamilyJob &job, int64_t begin, int64_t end) {
  constexpr int P = F::P;
  if (job.rows == Rows::exact && end - begin >= kLanes) {
    bool one_law = true;
    for (int i = 0; i < P; ++i) one_law &= job.parameters[i].single;
    if (one_law) return rows_of_one_law<F, Order>(job, begin, end);
    if (Order == 0) return values_of_many_laws<F>(job, begin, end);
  }
  for (int64_t at = begin; at < end; at += kLanes) {
    const int n = end - at < kLanes ? static_cast<int>(end - at) : kLanes;
    VecD p[P];
    for (int i = 0; i < P; ++i) p[i] = read(job.parameters[i], at, n);
    const VecD y = read(job.y, at, n);
    if (job.rows == Rows::exact) {
      write<Order>(job, at, n, exact_rows<F, Order>(y, p, prepare<F, Order>(p)));
      continue;
    }
    const VecD upper = read(job.upper, at, n);
    const auto exact = job.rows == Rows::observed ? y == upper : y != y && y == y;
    Jet<P, VecD> jet = {};
    if (any(exact)) jet = exact_rows<F, Order>(y, p, prepare<F, Order>(p));
    for (int lane = 0; lane < n; ++lane) {
      if (exact[lane]) continue;
      double row[P];
      for (int i = 0; i < P; ++i) row[i] = p[i][lane];
      set_lane<Order>(jet, lane, window_row<F>(job.rows, y[lane], upper[lane], row));
    }
    write<Order>(job, at, n, jet);
  }
}

template <class F> void run_family(int order, const FamilyJob &job, int64_t begin, int64_t end) {
  static_assert(F::P <= kMaxParameters);
  switch (order) {
  case 0: return family_loop<F, 0>(job, begin, end);
  case 1: return family_loop<F, 1>(job, begin, end);
  default: return family_loop<F, 2>(job, begin, end);
  }
}

} // namespace NEGLOG_ISA
} // namespace neglog
