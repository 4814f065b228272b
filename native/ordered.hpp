// Rows of a cumulative link model: nll = -log(F(upper - loc) - F(lower - loc)), where (lower, upper] is what the class
// that was seen says about a latent variable with distribution function F around loc. The ends may be infinite.
//
// With u = upper - loc and l = lower - loc everything is a sum of terms of one sign, except where a derivative itself
// passes through zero: the width w = upper - lower is never computed as u - l.
#pragma once

#include "families/normal.hpp"
#include "loops.hpp"

namespace neglog {
namespace NEGLOG_ISA {

template <class Link> struct Ordered {
  static constexpr int P = 3; // loc, lower, upper
  static constexpr bool discrete = true;
  static constexpr double low = 0, high = 0; // y stands for "it fell between the ends", and is 0

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] < p[2]); }
  template <class V> static auto inside(V y, const V *) { return y == 0.0; }
  template <int Order, class V> static Jet<P, V> nll(V, const V *p) {
    return Link::template row<Order>(p[0], p[1], p[2]);
  }
  // nothing else can happen
  static Jet<P, double> log_cdf(double, const double *) { return certain<P>(); }
  static Jet<P, double> log_sf(double, const double *) { return impossible<P>(); }
};

// row(loc, lower, upper) of numbers, for vectors of them
template <class V, class Row> inline Jet<3, V> by_lane(V loc, V lower, V upper, const Row &row) {
  if constexpr (Lanes<V>::n == 1) {
    return row(loc, lower, upper);
  } else {
    Jet<3, V> out = {};
    for (int i = 0; i < Lanes<V>::n; ++i) set_lane<2>(out, i, row(loc[i], lower[i], upper[i]));
    return out;
  }
}

// F(x) = 1 / (1 + exp(-x)): F(u) - F(l) = F(u) F(-l) (1 - exp(-w)).
struct LogitLink {
  template <int Order, class V> static Jet<3, V> row(V loc, V lower, V upper) {
    const V u = upper - loc, l = lower - loc, w = upper - lower;
    Jet<3, V> out = {};
    out.value = log1pexp(-u) + log1pexp(l) - log1mexp(-w);
    if constexpr (Order >= 1) {
      const V above = sigmoid(-u), below = sigmoid(l), odds = 1.0 / expm1(w);
      out.grad[0] = above - below;
      out.grad[1] = below + odds;
      out.grad[2] = -(above + odds);
      if constexpr (Order >= 2) {
        const V at_u = above * sigmoid(u), at_l = below * sigmoid(-l), both = odds * (1.0 + odds);
        out.hess[0][0] = at_u + at_l;
        out.hess[0][1] = -at_l;
        out.hess[0][2] = -at_u;
        out.hess[1][1] = at_l + both;
        out.hess[1][2] = -both;
        out.hess[2][2] = at_u + both;
      }
    }
    return out;
  }
};

// F(x) = 1 - exp(-exp(x)): F(u) - F(l) = exp(-a) (1 - exp(-exp(m))), a = exp(l), m = log(exp(u) - exp(l)).
struct CloglogLink {
  template <int Order, class V> static Jet<3, V> row(V loc, V lower, V upper) {
    return by_lane(loc, lower, upper, [](double c, double from, double to) { return one(c, from, to); });
  }

private:
  static Jet<3, double> one(double loc, double lower, double upper) {
    const double w = upper - lower, a = exp(lower - loc), odds = 1 / expm1(w);
    const Derivatives<double> f = log_one_minus_exp(upper - loc + log1mexp(-w));
    const double f_bend = -f.curvature, share = 1 + odds; // dm/dupper = share, dm/dlower = -odds, dm/dloc = -1
    const double m_bend = f.slope * odds * share;         // the slope times -d2m/dupper2
    Jet<3, double> out = {};
    out.value = a - f.value;
    out.grad[0] = f.slope - a;
    out.grad[1] = a + f.slope * odds;
    out.grad[2] = -f.slope * share;
    out.hess[0][0] = a + f_bend;
    out.hess[0][1] = f_bend * odds - a; // at most half of a
    out.hess[0][2] = -f_bend * share;
    out.hess[1][1] = a + f_bend * odds * odds + m_bend;
    out.hess[1][2] = -f_bend * odds * share - m_bend;
    out.hess[2][2] = f_bend * share * share + m_bend;
    return out;
  }
};

// F normal. Value and derivatives in loc are those of a censored normal row, exact in both tails. With the densities at
// the ends as shares of the probability, f_u and f_l, and the mean m = f_l - f_u of the latent variable's deviation in
// the interval, the mixed derivatives of log P are f_u (u - m) and f_l (m - l). They add up to minus the one in loc,
// and the others are sums of these and of f_u f_l.
struct ProbitLink {
  template <int Order, class V> static Jet<3, V> row(V loc, V lower, V upper) {
    return by_lane(loc, lower, upper, [](double c, double from, double to) { return one(c, from, to); });
  }

private:
  struct Ends { // f_l, f_u, f_l (m - l), f_u (u - m)
    double at_l, at_u, cross_l, cross_u;
  };

  static Jet<3, double> one(double loc, double lower, double upper) {
    const double latent[] = {loc, 1.0};
    const auto log_p = log_window<Normal>(lower, upper, latent);
    const double u = upper - loc, l = lower - loc, w = upper - lower, mean = log_p.grad[0], bend = -log_p.hess[0][0];
    const double fall =
        w == kInf ? kInf : 0.5 * w * absolute(u + l); // the densities at the ends are as 1 to exp(-fall)
    const bool mirror = lower == -kInf || (upper != kInf && u + l < 0); // the upper end has the larger
    Ends e;
    if (fall > 0.5) {
      e = mirror ? swap(steep(-l, -mean, bend, fall)) : steep(u, mean, bend, fall);
    } else if (w < 1) {
      e = narrow(l, w, u + l);
    } else { // around the middle of the distribution, where P is large
      const double at_l = exp(-0.5 * l * l - kLogSqrt2Pi - log_p.value);
      const double at_u = exp(-0.5 * u * u - kLogSqrt2Pi - log_p.value);
      e = {at_l, at_u, at_l * (mean - l), at_u * (u - mean)};
    }
    const double both = e.at_u * e.at_l;
    Jet<3, double> out = {};
    out.value = 0.0 - log_p.value;
    out.grad[0] = -mean;
    out.grad[1] = e.at_l;
    out.grad[2] = -e.at_u;
    out.hess[0][0] = bend;
    out.hess[0][1] = -e.cross_l;
    out.hess[0][2] = -e.cross_u;
    out.hess[1][1] = e.cross_l + both;
    out.hess[1][2] = -both;
    out.hess[2][2] = e.cross_u + both;
    return out;
  }

  static Ends swap(const Ends &e) { return {e.at_u, e.at_l, e.cross_u, e.cross_l}; }

  // the density falls from l to u: its share at l follows from the mean, and the mixed derivative there, which would
  // cancel, from the other two
  static Ends steep(double u, double mean, double bend, double fall) {
    const double at_l = mean / -expm1(-fall), at_u = at_l * exp(-fall);
    const double cross_u = at_u == 0 ? 0 : at_u * (u - mean); // u may be infinite
    return {at_l, at_u, bend - cross_u, cross_u};
  }

  // the density as a share of its value at l is nearly constant: a rule of 16 nodes, z = l + w s
  static Ends narrow(double l, double w, double sum) {
    VecD total = {}, first = {};
    gauss_legendre<VecD>(0, 1, [&](VecD s, VecD weight) {
      const VecD density = weight * exp(-w * s * (l + 0.5 * w * s));
      total += density;
      first += density * s;
    });
    const double t = sum_lanes(total), m = sum_lanes(first) / t, at_l = 1 / (w * t), at_u = at_l * exp(-0.5 * w * sum);
    return {at_l, at_u, at_l * w * m, at_u * w * (1 - m)};
  }
};

} // namespace NEGLOG_ISA
} // namespace neglog
