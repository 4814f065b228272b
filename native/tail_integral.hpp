// Tail probabilities of families on the positive numbers as integrals of their density, with derivatives.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// log P(Y > y) for side = 1, log P(Y <= y) for side = -1, with derivatives, from the family's own nll: for y on that
// side of the mode of log Y, so that the density of log Y falls from y on. Error 1e-15 of the value, 1e-14 of the
// derivatives, plus that of nll.
//
// With t = y exp(side w) the tail is the integral of t f(t) over w > 0. The gradient of its logarithm is minus the mean
// score over the tail, the Hessian the covariance of the score minus the mean Hessian: averages, and nothing cancels.
// Panels are at most 1 wide, where 16 nodes resolve exp(-exp(2 w)) to the last bits, and the density falls by at most
// exp(8) in each; beyond exp(-42) of the density at y nothing counts. Where it falls within 2^-24, beyond 1e4 standard
// deviations, it is exponential in w.
template <class F> inline Jet<F::P, double> integrate_tail(double y, const double *p, double side) {
  constexpr int P = F::P;
  const auto start = F::template nll<2>(y, p);
  const auto fallen = [&](double w) { return F::template nll<0>(y * exp(side * w), p).value - start.value - side * w; };
  if (constexpr double step = 0x1p-24; !(fallen(step) <= 8)) {
    const double drop = fallen(step);
    const auto next = F::template nll<2>(y * exp(side * step), p);
    Jet<P, double> out = {};
    out.value = log(y) - start.value - log(drop / step);
    double mean[P];
    for (int i = 0; i < P; ++i)
      mean[i] = (next.grad[i] - start.grad[i]) / drop, out.grad[i] = -(start.grad[i] + mean[i]);
    for (int i = 0; i < P; ++i)
      for (int j = i; j < P; ++j) out.hess[i][j] = mean[i] * mean[j] - start.hess[i][j];
    return out;
  }
  VecD q[P], total = {}, score[P] = {}, product[P][P] = {}, bend[P][P] = {};
  for (int i = 0; i < P; ++i) q[i] = splat<VecD>(p[i]);

  double from = 0, depth = 0, width = 1;
  for (int panel = 0; panel < 256 && depth < 42; ++panel) {
    double next = fallen(from + width);
    while (next - depth > 8) width *= 0.5, next = fallen(from + width);
    gauss_legendre<VecD>(from, from + width, [&](VecD w, VecD weight) {
      const auto row = F::template nll<2>(y * exp(side * w), q);
      const VecD density = weight * exp(start.value + side * w - row.value);
      total += density;
      for (int i = 0; i < P; ++i) {
        const VecD moved = density * (row.grad[i] - start.grad[i]);
        score[i] += moved;
        for (int j = i; j < P; ++j) {
          product[i][j] += moved * (row.grad[j] - start.grad[j]);
          bend[i][j] += density * row.hess[i][j];
        }
      }
    });
    from += width, depth = next, width = width < 1 ? 2 * width : 1;
  }

  const double share = 1 / sum_lanes(total);
  Jet<P, double> out = {};
  double mean[P];
  out.value = log(y) - start.value - log(share);
  for (int i = 0; i < P; ++i) {
    mean[i] = share * sum_lanes(score[i]);
    out.grad[i] = -(start.grad[i] + mean[i]);
  }
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j)
      out.hess[i][j] = share * sum_lanes(product[i][j]) - mean[i] * mean[j] - share * sum_lanes(bend[i][j]);
  return out;
}

} // namespace NEGLOG_ISA
} // namespace neglog
