// Bernoulli(logit): nll = log(1 + exp(-logit)) for y = 1 and log(1 + exp(logit)) for y = 0.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct Bernoulli {
  static constexpr int P = 1;
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = 1;

  template <class V> static auto valid(const V *p) { return p[0] == p[0]; }
  template <class V> static auto inside(V y, const V *) { return (y == 0.0) | (y == 1.0); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V small = exp(-absolute(p[0])), rest = log1p(small); // of y = 0 and of 1 alike
    const V larger = 1.0 / (small + 1.0), smaller = small * larger;
    const auto one = y == 1.0;
    const V x = one ? -p[0] : p[0], zero = V{};
    Jet<P, V> out = {};
    out.value = (x > 0.0 ? x : zero) + rest;
    if constexpr (Order >= 1) {
      const V wrong = x > 0.0 ? larger : smaller; // probability of the other outcome
      out.grad[0] = one ? -wrong : wrong;
    }
    if constexpr (Order >= 2) out.hess[0][0] = larger * smaller;
    return out;
  }

  // the one threshold inside the support: P(Y <= 0) = P(Y = 0), P(Y > 0) = P(Y = 1)
  static Jet<P, double> log_cdf(double, const double *p) { return log_mass(0.0, p); }
  static Jet<P, double> log_sf(double, const double *p) { return log_mass(1.0, p); }

private:
  static Jet<P, double> log_mass(double y, const double *p) {
    const auto jet = nll<2>(y, p);
    return {-jet.value, {-jet.grad[0]}, {{-jet.hess[0][0]}}};
  }
};

NEGLOG_FAMILY(bernoulli, Bernoulli)

} // namespace NEGLOG_ISA
} // namespace neglog
