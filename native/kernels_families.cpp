// The table of families: one entry per header in native/families. CMake writes family_list.hpp and, from
// kernel_family.cpp.in, the source that compiles each of them.
#include "family_job.hpp"
#include "family_list.hpp"

namespace neglog {
namespace NEGLOG_ISA {

#define X(name) extern const FamilyEntry name##_entry;
NEGLOG_FOR_EACH_FAMILY(X)
#undef X

const FamilyKernels &family_kernels();
const FamilyKernels &family_kernels() {
  static const FamilyEntry all[] = {
#define X(name) name##_entry,
      NEGLOG_FOR_EACH_FAMILY(X)
#undef X
  };
  static const FamilyKernels table{all, static_cast<int>(sizeof all / sizeof *all)};
  return table;
}

} // namespace NEGLOG_ISA
} // namespace neglog
