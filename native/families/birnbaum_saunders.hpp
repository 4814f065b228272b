// BirnbaumSaunders(shape g, scale b): Z = (sqrt(y / b) - sqrt(b / y)) / g is standard normal, so
// nll = z^2 / 2 + log sqrt(2 pi) + log(2 y / c), c = (sqrt(y / b) + sqrt(b / y)) / g.
//
// The derivatives of z are z_g = -z / g, z_b = -c / (2 b), z_gg = 2 z / g^2,
// z_gb = c / (2 g b), z_bb = (z / 4 + c / 2) / b^2.
#pragma once

#include "family.hpp"

namespace neglog {
namespace NEGLOG_ISA {

struct BirnbaumSaunders {
  static constexpr int P = 2;
  static constexpr bool discrete = false;
  static constexpr double low = 0, high = kInf;

  template <class V> static auto valid(const V *p) {
    return (p[0] > 0.0) & (p[0] < kInf) & (p[1] > 0.0) & (p[1] < kInf);
  }
  template <class V> static auto inside(V y, const V *) { return (y > 0.0) & (y < kInf); }

  template <int Order, class V> static Jet<P, V> nll(V y, const V *p) {
    const V g = p[0], b = p[1], root = sqrt(y) * sqrt(b), reach = 1.0 / (g * root);
    const V z = (y - b) * reach, c = (y + b) * reach;
    Jet<P, V> out = {};
    out.value = 0.5 * z * z + kLogSqrt2Pi + log_ratio(y, 0.5 * c);
    if constexpr (Order >= 1) {
      out.grad[0] = (1.0 - z) * (1.0 + z) / g;
      out.grad[1] = (y - b) / (y + b) * (1.0 - c) * (1.0 + c) / (2.0 * b);
      if constexpr (Order >= 2) {
        const V share = y / (y + b);
        out.hess[0][0] = (3.0 * z * z - 1.0) / g / g;
        out.hess[0][1] = z * c / (g * b);
        out.hess[1][1] = (y / b / g / g + (0.5 - (2.0 - share) * share)) / b / b;
      }
    }
    return out;
  }

  static Jet<P, double> log_sf(double y, const double *p) { return tail(y, p, 1); }
  static Jet<P, double> log_cdf(double y, const double *p) { return tail(y, p, -1); }

private:
  static Jet<P, double> tail(double y, const double *p, double side) {
    const double g = p[0], b = p[1], reach = side / (g * sqrt(y) * sqrt(b)), z = (y - b) * reach, c = (y + b) * reach;
    const auto t = normal_tail(z);
    if (t.hazard == 0) return certain<P>(); // to the last bit
    return chain(
        {t.log_sf, -t.hazard, -t.hazard * t.excess},
        Jet<P, double>{z, {-z / g, -c / (2 * b)}, {{2 * z / g / g, c / (2 * g * b)}, {0, (z / 4 + c / 2) / b / b}}});
  }
};

NEGLOG_FAMILY(birnbaum_saunders, BirnbaumSaunders)

} // namespace NEGLOG_ISA
} // namespace neglog
