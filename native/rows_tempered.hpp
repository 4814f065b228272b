// Rows of losses that are no function of the true class's probability alone. One row at a time, in double.
//
// tempered: the Bregman divergence of p = exp_t2(z - lambda), sum p = 1, from the target q (Amid et al. 2019),
//   D = sum_k q (log_t1 q - log_t1 p) - (q^(1+s) - p^(1+s)) / (1 + s),    s = 1 - t1,
//   dD / dz_k = delta_k - e_k sum delta,  delta_k = (p_k - q_k) p_k^(t2 - t1),  e_k = p_k^t2 / sum_j p_j^t2.
//   first: t1, second: t2, third multiplies the loss. t2 = 1 is the softmax; there s = 0 is the Kullback-Leibler
//   divergence and (1 + s) D the density power divergence.
// For a class index every term is positive and none cancels: the others give p^(1+s) / (1 + s), the target, with
//   r = 1 - p_y summed over the others, int_0^r x (1 - x)^(s-1) dx.
// The normaliser: sum_k exp_t(z_k - lambda) to the power 1 - t is concave (t > 1) or convex (t < 1) in lambda, and the
//   logarithm of the sum linear for t = 1, so that Newton from lambda = max z rises to the root and never passes it.
//
// mixed: -log sum_k T_ky p_k, p = softmax(z): the label has been changed with known probabilities (Patrini et al.
// 2017).
#pragma once

#include "rows_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Distances from the top logit, padded with -inf to whole vectors.
struct Scratch {
  static constexpr int L = Lanes<VecD>::n;
  int64_t classes, padded;
  double *below, *p, *slope, *q; // logits; probabilities, then the gradient; - d p / d lambda; target
  int64_t lead = 0;              // class of the largest logit
  explicit Scratch(int64_t n) : classes(n), padded((n + L - 1) / L * L) {
    below = static_cast<double *>(__builtin_calloc(4 * padded + 1, sizeof(double))); // q stays 0 behind its end
    p = below + padded, slope = p + padded, q = slope + padded;
  }
  ~Scratch() { __builtin_free(below); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
};

// exp_t and its logarithm. u = 1 + (1 - t) x; where it is not positive (t < 1) the value is 0.
struct TemperedExp {
  double t, room, inverse; // 1 - t and one over it
  explicit TemperedExp(double t_) : t(t_), room(1.0 - t_), inverse(room == 0.0 ? 0.0 : 1.0 / room) {}
  VecD base(VecD x) const { return 1.0 + room * x; }
  VecD log_of(VecD x) const {
    if (room == 0.0) return x;
    const VecD scaled = room * x, lowest = splat<VecD>(-kInf);
    return scaled > -1.0 ? (x == lowest ? lowest : log1p(scaled) * inverse) : lowest;
  }
};

// lambda - max z, from the distances below it.
inline double normaliser(const Scratch &row, const TemperedExp &f) {
  double lambda = 0.0;
  for (int i = 0; i < 60; ++i) {
    VecD sum{}, slope{};
    for (int64_t k = 0; k < row.padded; k += Scratch::L) {
      const VecD x = load<VecD>(row.below + k) - lambda, e = exp(f.log_of(x));
      sum += e;
      slope += e > 0.0 ? e / f.base(x) : VecD{};
    }
    const double total = sum_lanes(sum), steep = sum_lanes(slope), l = log(total);
    // (1 - total^(1-t)) over the derivative of total^(1-t), which for t = 1 is log(total)
    const double step = total * (f.room == 0.0 ? l : -expm1(-f.room * l) / f.room) / steep;
    lambda += step;
    if (!(step > 1e-8 * (lambda + 1.0))) return lambda; // what is left is its square; rounding may step back
  }
  return lambda;
}

// int_0^r x (1 - x)^(s - 1) dx with log(1 - r) given.
inline double below_one(double r, double log_p, double s) {
  if (r > 0.125) {
    const double first = s == 0.0 ? -log_p : -expm1(s * log_p) / s;
    return first + expm1((1.0 + s) * log_p) / (1.0 + s);
  }
  double term = r * r, sum = term / 2.0; // sum_n (1-s)(2-s)...(n-s) / n! r^(n+2) / (n + 2)
  for (int n = 1; n < 40; ++n) {
    term *= (n - s) / n * r;
    sum += term / (n + 2);
    if (absolute(term) <= 1e-17 * sum) break;
  }
  return sum;
}

struct TemperedRow {
  const SoftmaxJob &job;
  TemperedExp f;
  double s;
  explicit TemperedRow(const SoftmaxJob &j) : job(j), f(j.deformation.second), s(1.0 - j.deformation.first) {}

  // The loss; leaves the gradient, times `factor`, in row.p. y: class, or -1 for the target row.q.
  double operator()(const Scratch &row, int64_t y, double factor) const {
    const double lambda = normaliser(row, f), power = f.t - 1.0 + s; // t2 - t1
    VecD others{}, escort{}, weighted{}, divergence{};
    double r = 0.0, at_target = -kInf;
    for (int64_t k = 0; k < row.padded; k += Scratch::L) {
      const VecD x = load<VecD>(row.below + k) - lambda, l = f.log_of(x), e = exp(l);
      const auto gone = !(e > 0.0);
      const VecD steep = gone ? (e == e ? VecD{} : e) : e / f.base(x);              // p^t2
      const VecD shrink = s == 0.0 ? splat<VecD>(1.0) : gone ? VecD{} : exp(s * l); // p^s
      const VecD lift = power == 0.0 ? splat<VecD>(1.0) : gone ? VecD{} : exp(power * l);
      VecD delta = e * lift, cost = e * shrink;
      if (y < 0) {
        const VecD q = load<VecD>(row.q + k);
        cost = divergence_of(q, l, e, shrink);
        delta = gone ? VecD{} : (e - q) * lift;
      } else if (y >= k && y < k + Scratch::L) {
        const auto i = static_cast<int>(y - k);
        at_target = l[i];
        others += outside(e, i);
        cost = outside(cost, i);
        delta = outside(delta, i); // the target's needs the sum of the others
      } else {
        others += e;
      }
      divergence += cost;
      escort += steep;
      weighted += delta;
      store(row.slope + k, steep);
      store(row.p + k, delta);
    }
    double loss = sum_lanes(divergence), total = sum_lanes(weighted);
    if (y >= 0) {
      r = sum_lanes(others);
      loss = loss / (1.0 + s) + (at_target == -kInf ? never() : below_one(r, at_target, s));
      if (at_target > -kInf) row.p[y] = -r * (power == 0.0 ? 1.0 : exp(power * at_target));
      total += row.p[y];
    }
    const double share = total / sum_lanes(escort);
    VecD all{};
    for (int64_t k = 0; k < row.padded; k += Scratch::L) {
      const VecD g = load<VecD>(row.p + k) - share * load<VecD>(row.slope + k);
      all += k <= row.lead && row.lead < k + Scratch::L ? outside(g, static_cast<int>(row.lead - k)) : g;
      store(row.p + k, factor * g);
    }
    row.p[row.lead] = -factor * sum_lanes(all); // whose own terms cancel where it leads by far
    return loss;
  }

  double never() const { return s > 0.0 ? 1.0 / s - 1.0 / (1.0 + s) : kInf; } // the target has probability 0
  static VecD outside(VecD v, int i) {
    v[i] = 0.0;
    return v;
  }
  VecD divergence_of(VecD q, VecD l, VecD e, VecD shrink) const {
    const VecD lq = log(q);
    const auto absent = q == 0.0;
    if (s == 0.0) return absent ? e : q * (lq - l) - (q - e);
    const VecD own = exp(s * lq), apart = shrink > 0.0 ? shrink * expm1(s * (lq - l)) : own; // q^s - p^s
    return absent ? e * shrink / (1.0 + s) : q * apart / s - (q * own - e * shrink) / (1.0 + s);
  }
};

struct MixedRow {
  const SoftmaxJob &job;
  explicit MixedRow(const SoftmaxJob &j) : job(j) {}

  // row.q holds T_ky.
  double operator()(const Scratch &row, double factor) const {
    const int64_t n = row.classes;
    VecD total{};
    double top = -kInf; // best logit that could have become y
    int64_t best = -1;
    for (int64_t k = 0; k < row.padded; k += Scratch::L) {
      const VecD e = exp(load<VecD>(row.below + k));
      total += e;
      store(row.p + k, e);
    }
    for (int64_t k = 0; k < n; ++k)
      if (row.q[k] > 0.0 && (best < 0 || row.below[k] > top)) top = row.below[k], best = k;
    const double z = sum_lanes(total);
    if (best < 0 || top == -kInf) {
      for (int64_t k = 0; k < n; ++k) row.p[k] *= factor / z; // as where the target is impossible
      return z == z ? kInf : kNaN;
    }
    // relative to the best: mix = sum_k T_k exp(z_k - top); apart: sum_k p_k (T_k - T_best)
    double mix = 0.0, apart = 0.0, miss = 0.0;
    for (int64_t k = 0; k < n; ++k) {
      mix += row.q[k] > 0.0 ? row.q[k] * exp(row.below[k] - top) : 0.0;
      apart += row.p[k] * (row.q[k] - row.q[best]);
      miss += row.p[k] * (1.0 - row.q[k]);
    }
    apart /= z, miss /= z;
    const double loss = miss < 0.5 ? -log1p(-miss) : log(z / mix) - top;
    const double likely = mix * exp(top) / z; // sum_k T_k p_k
    for (int64_t k = 0; k < n; ++k) {         // p_k - T_k p_k / likely
      const double p = row.p[k] / z, lead = k == best ? apart : likely - row.q[k];
      row.p[k] = factor * (likely > 1e-290 ? p * lead / likely
                                           : p - (row.q[k] > 0.0 ? row.q[k] * exp(row.below[k] - top) / mix : 0.0));
    }
    return loss;
  }
};

// ---- one row's target ---------------------------------------------------------------------------------------------

// The target of a tempered row: its class, or -1 and row.q. False: a probability outside [0, 1].
template <class T> inline bool tempered_target(const SoftmaxJob &job, Scratch &row, Place &place, int64_t at) {
  const int64_t n = job.classes;
  if (job.index == Index::none) {
    const T *q = static_cast<const T *>(job.target) + row_start(job.target_at, at, job.inner);
    double weight = job.weight ? 0.0 : 1.0;
    for (int64_t k = 0; k < n; ++k) {
      row.q[k] = static_cast<double>(Storage<T>::get(q + k * job.target_at.classes));
      if (row.q[k] < 0.0 || row.q[k] > 1.0) return false;
      if (job.weight) weight += job.weight[k] * row.q[k];
    }
    place.weight *= weight;
  } else if (job.smoothing != 0.0) { // the target keeps 1 - eps, the other classes that remain share eps
    int64_t remain = 0;
    for (int64_t k = 0; k < n; ++k) remain += k != place.target && row.below[k] > -kInf;
    const double each = remain ? job.smoothing / static_cast<double>(remain) : 0.0;
    for (int64_t k = 0; k < n; ++k) row.q[k] = row.below[k] > -kInf ? each : 0.0;
    row.q[place.target] = 1.0 - each * static_cast<double>(remain);
    if (job.weight) place.weight *= job.weight[place.target];
    place.target = -1;
  }
  return true;
}

inline bool mixed_target(const SoftmaxJob &job, Scratch &row, Place &place) {
  for (int64_t k = 0; k < job.classes; ++k) row.q[k] = job.transition[k * job.classes + place.target];
  return true;
}

// ---- all rows -----------------------------------------------------------------------------------------------------

// The logits of a row as distances from the top one, which is returned; slope: of what transforms them.
struct Reader {
  const SoftmaxJob &job;
  Transform<double> transform;
  bool transformed;
  Scratch own; // p: which classes exist
  explicit Reader(const SoftmaxJob &j)
      : job(j), transform(j), transformed(transforms(j)), own(transformed ? j.classes + Scratch::L : 0) {
    for (int64_t k = 0; k < own.padded; ++k)
      own.p[k] = double(k < job.classes && (!job.class_mask || job.class_mask[k]));
  }
  template <class T> double read(const T *z, Scratch &row) {
    for (int64_t k = 0; k < row.padded; ++k)
      row.below[k] = k < row.classes ? static_cast<double>(Storage<T>::get(z + k * job.logits_at.classes)) : -kInf;
    if (transformed) {
      transform.row(row.below, row.classes, own.p, own.below, own.slope);
      for (int64_t k = 0; k < row.classes; ++k) row.below[k] = own.below[k];
    }
    double top = -kInf;
    for (int64_t k = 0; k < row.classes; ++k) {
      if (!(row.below[k] < kInf)) return kNaN; // +inf, NaN
      if (row.below[k] > top) top = row.below[k], row.lead = k;
    }
    if (top == -kInf) return kNaN;
    for (int64_t k = 0; k < row.classes; ++k) row.below[k] -= top;
    return top;
  }
  double through_slope(int64_t k, double g) const { return transformed ? through(own.slope[k], g) : g; }
};

template <class T> inline SoftmaxSum rows_in_double(const SoftmaxJob &job, int64_t begin, int64_t end) {
  using R = ComputeOf<T>;
  const bool mixed = job.deformation.kind == Deformation::mixed;
  const int64_t classes = job.classes;
  Scratch row(classes);
  Reader reader(job);
  const TemperedRow tempered_row(job);
  const MixedRow mixed_row(job);
  SoftmaxSum result;
  for (int64_t at = begin; at < end; ++at) {
    Place place = place_of(job, at, result);
    T *g = job.grad ? static_cast<T *>(job.grad) + row_start(job.grad_at, at, job.inner) : nullptr;
    double loss = 0.0;
    bool idle = place.weight == 0.0;
    if (!idle) {
      const double top = reader.read(static_cast<const T *>(job.logits) + row_start(job.logits_at, at, job.inner), row);
      const bool usable = mixed ? mixed_target(job, row, place) : tempered_target<T>(job, row, place, at);
      if (!usable && result.bad_row < 0) result.bad_row = at;
      idle = !usable;
      if (usable && top == top) {
        place.weight *= job.deformation.third;
        const double factor = place.weight * gradient_scale(job);
        loss = place.weight * (mixed ? mixed_row(row, factor) : tempered_row(row, place.target, factor));
      } else if (usable) {
        loss = kNaN;
        for (int64_t k = 0; k < classes; ++k) row.p[k] = kNaN;
      }
    }
    for (int64_t k = 0; g && k < classes; ++k)
      Storage<T>::put(g + k * job.grad_at.classes, idle ? R(0) : static_cast<R>(reader.through_slope(k, row.p[k])));
    put_loss<R>(job, at, loss);
    result.loss += loss;
    result.divisor += place.share;
  }
  return result;
}

} // namespace NEGLOG_ISA
} // namespace neglog
