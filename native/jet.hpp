// Jets: a number with its gradient and Hessian in P parameters. Arithmetic on them is the product rule; chain() is the
// chain rule, for functions whose derivatives are known. V is double or VecD.
//
// A formula written with jets is differentiated exactly, not optimally: where two of its terms cancel, so do their
// derivatives. Take the variable in which nothing cancels (log1p, expm1, a difference that is known) as for values.
#pragma once

#include "math.hpp"

namespace neglog {
namespace NEGLOG_ISA {

// Value, gradient and Hessian; the triangle hess[i][j], i <= j, is filled.
template <int P, class V> struct Jet {
  V value, grad[P], hess[P][P];
};

// f(x), f'(x), f''(x)
template <class V> struct Derivatives {
  V value, slope, curvature;
};

template <int P, class V> inline Jet<P, V> variable(int i, V value) {
  Jet<P, V> out = {};
  out.value = value;
  out.grad[i] = splat<V>(1.0);
  return out;
}

// f(u) for a function with these derivatives at u.value
template <int P, class V> inline Jet<P, V> chain(const Derivatives<V> &f, const Jet<P, V> &u) {
  Jet<P, V> out = {};
  out.value = f.value;
  for (int i = 0; i < P; ++i) out.grad[i] = f.slope * u.grad[i];
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j) out.hess[i][j] = f.curvature * u.grad[i] * u.grad[j] + f.slope * u.hess[i][j];
  return out;
}

// f(u_0, ..., u_{N-1}) for a function with the jet `f` in its own N arguments
template <int N, int P, class V> inline Jet<P, V> chain(const Jet<N, V> &f, const Jet<P, V> (&u)[N]) {
  Jet<P, V> out = {};
  out.value = f.value;
  for (int a = 0; a < N; ++a)
    for (int i = 0; i < P; ++i) out.grad[i] += f.grad[a] * u[a].grad[i];
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j)
      for (int a = 0; a < N; ++a) {
        V moved = {}; // d2f / du_a du_b times du_b / dp_j
        for (int b = 0; b < N; ++b) moved += (a <= b ? f.hess[a][b] : f.hess[b][a]) * u[b].grad[j];
        out.hess[i][j] += moved * u[a].grad[i] + f.grad[a] * u[a].hess[i][j];
      }
  return out;
}

template <int P, class V> inline Jet<P, V> operator-(const Jet<P, V> &u) {
  return chain(Derivatives<V>{-u.value, splat<V>(-1.0), V{}}, u);
}
template <int P, class V> inline Jet<P, V> operator+(Jet<P, V> u, const Jet<P, V> &v) {
  u.value += v.value;
  for (int i = 0; i < P; ++i) u.grad[i] += v.grad[i];
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j) u.hess[i][j] += v.hess[i][j];
  return u;
}
template <int P, class V> inline Jet<P, V> operator-(const Jet<P, V> &u, const Jet<P, V> &v) { return u + -v; }
template <int P, class V> inline Jet<P, V> operator*(const Jet<P, V> &u, const Jet<P, V> &v) {
  Jet<P, V> out = {};
  out.value = u.value * v.value;
  for (int i = 0; i < P; ++i) out.grad[i] = u.value * v.grad[i] + v.value * u.grad[i];
  for (int i = 0; i < P; ++i)
    for (int j = i; j < P; ++j)
      out.hess[i][j] =
          u.value * v.hess[i][j] + v.value * u.hess[i][j] + (u.grad[i] * v.grad[j] + u.grad[j] * v.grad[i]);
  return out;
}
template <int P, class V> inline Jet<P, V> reciprocal(const Jet<P, V> &u) {
  const V r = 1.0 / u.value;
  return chain(Derivatives<V>{r, -r * r, 2.0 * r * r * r}, u);
}
template <int P, class V> inline Jet<P, V> operator/(const Jet<P, V> &u, const Jet<P, V> &v) {
  Jet<P, V> out = u * reciprocal(v);
  out.value = u.value / v.value;
  return out;
}

// with a number that is no parameter: data and constants
template <int P, class V> inline Jet<P, V> operator+(Jet<P, V> u, V c) {
  u.value += c;
  return u;
}
template <int P, class V> inline Jet<P, V> operator-(Jet<P, V> u, V c) { return u + -c; }
template <int P, class V> inline Jet<P, V> operator*(const Jet<P, V> &u, V c) {
  return chain(Derivatives<V>{u.value * c, c, V{}}, u);
}
template <int P, class V> inline Jet<P, V> operator/(const Jet<P, V> &u, V c) {
  return chain(Derivatives<V>{u.value / c, 1.0 / c, V{}}, u);
}
template <int P, class V> inline Jet<P, V> operator+(V c, const Jet<P, V> &u) { return u + c; }
template <int P, class V> inline Jet<P, V> operator-(V c, const Jet<P, V> &u) { return -u + c; }
template <int P, class V> inline Jet<P, V> operator*(V c, const Jet<P, V> &u) { return u * c; }
template <int P, class V> inline Jet<P, V> operator/(V c, const Jet<P, V> &u) {
  const V r = 1.0 / u.value, q = c / u.value;
  return chain(Derivatives<V>{q, -q * r, 2.0 * q * r * r}, u);
}

template <int P, class V> inline Jet<P, V> log(const Jet<P, V> &u) {
  const V r = 1.0 / u.value;
  return chain(Derivatives<V>{log(u.value), r, -r * r}, u);
}
template <int P, class V> inline Jet<P, V> log1p(const Jet<P, V> &u) {
  const V r = 1.0 / (1.0 + u.value);
  return chain(Derivatives<V>{log1p(u.value), r, -r * r}, u);
}
template <int P, class V> inline Jet<P, V> exp(const Jet<P, V> &u) {
  const V e = exp(u.value);
  return chain(Derivatives<V>{e, e, e}, u);
}
template <int P, class V> inline Jet<P, V> expm1(const Jet<P, V> &u) {
  const V e = exp(u.value);
  return chain(Derivatives<V>{expm1(u.value), e, e}, u);
}
template <int P, class V> inline Jet<P, V> square(const Jet<P, V> &u) {
  return chain(Derivatives<V>{u.value * u.value, 2.0 * u.value, splat<V>(2.0)}, u);
}

} // namespace NEGLOG_ISA
} // namespace neglog
