// VonMises(loc, concentration k): an angle, nll = log(2 pi e^-k I0(k)) + k (1 - cos(y - loc)). The density has period 2
// pi; tails and draws are those of the angle that lies within pi of loc. Intervals are arcs, wherever they begin.
#pragma once

#include "family.hpp"
#include "special_bessel.hpp"
#include "special_circular.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct VonMises {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = -kInf, high = kInf;

  template <class V> static auto valid(const V *p) { return (absolute(p[0]) < kInf) & (p[1] >= 0.0) & (p[1] < kInf); }
  template <class V> static auto inside(V y, const V *) { return absolute(y) < kInf; }

  template <int Order, class V> static auto law(const V *p) { return log_bessel_i0<Order>(p[1]); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) { return nll<Order>(y, p, law<Order>(p)); }
  template <int Order, class V> static Jet<P, V> nll(V y, const V *p, const LogBessel<V> &b) {
    const V k = p[1];
    const auto half = sin_cos(0.5 * (y - p[0]));
    const V fall = 2.0 * half.sin * half.sin, sine = 2.0 * half.sin * half.cos;
    Jet<P, V> out = {};
    out.value = b.value + kLog2Pi + k * fall;
    if constexpr (Order >= 1) {
      out.grad[0] = -k * sine;
      out.grad[1] = fall - b.gap;
    }
    if constexpr (Order >= 2) {
      out.hess[0][0] = k * (1.0 - fall);
      out.hess[0][1] = -sine;
      out.hess[1][1] = b.curvature;
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) {
    const double d = y - p[0];
    if (d >= kPi) return impossible<P>();
    if (d <= -kPi) return certain<P>();
    return d >= 0 ? tail(d, p[1], 1.0) : log_complement(tail(-d, p[1], -1.0));
  }
  static Jet<P, double> log_cdf(double y, const double *p) {
    const double d = y - p[0];
    if (d >= kPi) return certain<P>();
    if (d <= -kPi) return impossible<P>();
    return d <= 0 ? tail(-d, p[1], -1.0) : log_complement(tail(d, p[1], 1.0));
  }

  // the arc from lo to hi
  static Jet<P, double> log_interval(double lo, double hi, const double *p) {
    if (hi - lo >= kTurn) return certain<P>();
    double a = lo - p[0];
    a -= kTurn * __builtin_floor((a + kPi) / kTurn);
    const double b = a + (hi - lo);
    const bool through_mode = (a <= 0 && b >= 0) || b >= kTurn;
    const double nearest = through_mode ? 0 : a > 0 && kTurn - b < a ? b - kTurn : a > 0 ? a : b;
    Moments m(nearest, p[1]);
    for (int i = -1; i < 3; ++i) { // the half turns [-pi, 0], [0, pi], [pi, 2 pi], [2 pi, 3 pi]
      const double left = i * kPi, right = left + kPi, turn = i > 0 ? kTurn : 0;
      const double from = a > left ? a : left, to = b < right ? b : right;
      if (!(from < to)) continue;
      const double length = from == a && to == b ? hi - lo : to - from; // a narrow arc keeps its width
      if (i % 2 == 0)
        m.add(from - turn, length, 1.0);
      else
        m.add(turn - to, length, -1.0);
    }
    m.finish();
    // d / d loc moves both ends: with g = k (1 - cos t), E[g'] and Var[g'] - E[g'']
    const double k = p[1];
    Jet<P, double> out = in_concentration(m, k);
    out.grad[0] = k * m.sine();
    out.hess[0][0] = k * (k * m.sine_sine - m.cosine());
    out.hess[0][1] = m.sine() - k * m.sine_fall;
    return out;
  }

private:
  static constexpr double kPi = 3.14159265358979323846, kTurn = 6.28318530717958647693,
                          kLog2Pi = 1.83787706640934548356;
  static constexpr double kCut = 40; // exp(-40) is below 2^-57

  // Integrals over angles t, relative to the density at the angle `at` that is nearest to the mode: of
  // exp(-k fall), fall = cos(at) - cos(t), and under it the means of fall and of rise = sin(t) - sin(at), and their
  // covariances. Written in half sums and half differences of t and at nothing cancels.
  class Moments {
  public:
    double total = 0, fall = 0, rise = 0, fall_fall = 0, sine_fall = 0, sine_sine = 0;

    Moments(double at, double k) : at_(at), k_(k), half_(sin_cos(0.5 * at)) {}

    // the angles side (start + v), 0 < v < length, within [0, pi] or, with side = -1, [-pi, 0]
    void add(double start, double length, double side) {
      const double limit = reach(start), end = length < limit ? length : limit, apart = side * start - at_;
      constexpr int panels = 4;
      VecD sums[6] = {};
      const auto node = [&](VecD v, VecD weight) {
        const VecD difference = 0.5 * (side * v + apart);
        const auto half = sin_cos(difference), sum = sin_cos(difference + at_);
        const VecD f = 2.0 * sum.sin * half.sin, s = 2.0 * sum.cos * half.sin, density = weight * exp(-k_ * f);
        sums[0] += density;
        sums[1] += density * f;
        sums[2] += density * s;
        sums[3] += density * f * f;
        sums[4] += density * s * f;
        sums[5] += density * s * s;
      };
      for (int i = 0; i < panels; ++i) gauss_legendre<VecD>(end * i / panels, end * (i + 1) / panels, node);
      double *const to[] = {&total, &fall, &rise, &fall_fall, &sine_fall, &sine_sine};
      for (int i = 0; i < 6; ++i) *to[i] += sum_lanes(sums[i]);
    }
    void finish() {
      fall /= total, rise /= total;
      fall_fall = fall_fall / total - fall * fall;
      sine_fall = sine_fall / total - rise * fall;
      sine_sine = sine_sine / total - rise * rise;
    }

    double top() const { return 2 * half_.sin * half_.sin; } // 1 - cos(at)
    double sine() const { return 2 * half_.sin * half_.cos + rise; }
    double cosine() const { return 1 - top() - fall; }

    // how far beyond the angle d >= 0 the density has fallen by exp(-kCut), or the rest of the half turn
    double reach(double d) const {
      const auto h = sin_cos(0.5 * d);
      const double drop = 0.5 * kCut / k_, sine = h.sin * h.sin + drop;
      if (!(sine < 1)) return kPi - d;
      return 2 * __builtin_asin(drop / (__builtin_sqrt(sine) * h.cos + h.sin * __builtin_sqrt(1 - sine)));
    }

  private:
    double at_, k_;
    SinCos<double> half_;
  };

  static Jet<P, double> in_concentration(const Moments &m, double k) {
    const auto b = log_bessel_i0<2>(k);
    Jet<P, double> out = {};
    out.value = log(m.total) - k * m.top() - b.value - kLog2Pi;
    out.grad[1] = b.gap - m.top() - m.fall;
    out.hess[1][1] = m.fall_fall - b.curvature;
    return out;
  }

  // log P(Y - loc > d), 0 <= d < pi, or its mirror image. With r the density over the tail, the slope in d is -r and
  // the slope of that -r (r - g'(d)), where integrating g' by parts turns the bracket into E[g'(t) - g'(d)] + r
  // e^-(g(pi) - g(d)).
  static Jet<P, double> tail(double d, double k, double side) {
    Moments m(d, k);
    m.add(d, kPi - d, 1.0);
    m.finish();
    const double r = 1 / m.total, cosine = sin_cos(0.5 * d).cos;
    Jet<P, double> out = in_concentration(m, k);
    out.grad[0] = side * r;
    out.hess[0][0] = -r * (k * m.rise + r * exp(-2 * k * cosine * cosine));
    out.hess[0][1] = side * r * m.fall;
    return out;
  }
};

NEGLOG_FAMILY(von_mises, VonMises)

} // namespace NEGLOG_ISA
} // namespace neglog
