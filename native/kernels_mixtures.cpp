#include "mixtures_impl.hpp"

namespace neglog {
namespace NEGLOG_ISA {

namespace {

void pass(const MixtureJob &job, int64_t begin, int64_t end, double *sums) {
  job.single ? mixture_rows<float>(job, begin, end, sums) : mixture_rows<double>(job, begin, end, sums);
}

} // namespace

const MixtureKernels &mixture_kernels();
const MixtureKernels &mixture_kernels() {
  static const MixtureKernels table{pass};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
