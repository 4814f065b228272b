#include "families/bernoulli.hpp"
#include "families/normal.hpp"
#include "families/poisson.hpp"
#include "families/weibull.hpp"
#include "loops.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace {

template <class F> void run_order(int order, const FamilyJob &job, int64_t begin, int64_t end) {
  static_assert(F::P <= kMaxParameters);
  switch (order) {
  case 0: return family_loop<F, 0>(job, begin, end);
  case 1: return family_loop<F, 1>(job, begin, end);
  default: return family_loop<F, 2>(job, begin, end);
  }
}

void run(int family, int order, const FamilyJob &job, int64_t begin, int64_t end) {
  using Run = void (*)(int, const FamilyJob &, int64_t, int64_t);
  static constexpr Run all[] = {
#define X(name, Struct) run_order<Struct>,
      NEGLOG_FOR_EACH_FAMILY(X)
#undef X
  };
  all[family](order, job, begin, end);
}

} // namespace

const FamilyKernels &family_kernels();
const FamilyKernels &family_kernels() {
  static const FamilyKernels table{run};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
