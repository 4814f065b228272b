#include "functions.hpp"
#include "special_gamma.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace {

template <class V> V in_double(int which, V v) {
  switch (which) {
  case 5: return log1pexp(v);
  case 6: return log1mexp(v);
  case 7: return sigmoid(v);
  case 8: return log1pmx(v);
  case 9: return log_gamma<0>(v).value;
  case 10: return log_gamma<1>(v).slope;
  case 11: return log_gamma<2>(v).curvature;
  default: return stirling_error<0>(v).value;
  }
}

template <class V> V evaluate(int which, V v) {
  switch (which) { // as in kFunctionNames
  case 0: return exp(v);
  case 1: return log(v);
  case 2: return log1p(v);
  case 3: return tanh(v);
  case 4: return expm1(v);
  }
  if constexpr (sizeof(Real<V>) == 8)
    return in_double(which, v);
  else
    return V{};
}

template <class V> void apply(int which, const Real<V> *x, Real<V> *out, int64_t n) {
  constexpr int L = Lanes<V>::n;
  for (int64_t i = 0; i < n; i += L) {
    const int m = n - i < L ? static_cast<int>(n - i) : L;
    store_first(out + i, m, evaluate(which, load_first<V>(x + i, m, 0)));
  }
}
void in_doubles(int which, const double *x, double *out, int64_t n) { apply<VecD>(which, x, out, n); }
void in_floats(int which, const float *x, float *out, int64_t n) { apply<VecF>(which, x, out, n); }

} // namespace

const FunctionKernels &function_kernels();
const FunctionKernels &function_kernels() {
  static const FunctionKernels table{in_doubles, in_floats};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
