// Which instruction set runs. Chosen once at import: the best that this machine has, or what NEGLOG_ISA says.
//
// Each concept (rows, losses, families, scores ...) declares one table of function pointers in its own header and one
// function `const Table &table()` per instruction set in kernels_<concept>.cpp; `choose` picks between them.
#pragma once

#if defined(NEGLOG_X86)
#define NEGLOG_FOR_EACH_ISA(X) X(baseline) X(avx2) X(avx512)
#else
#define NEGLOG_FOR_EACH_ISA(X) X(baseline)
#endif

namespace neglog {

#define X(name) name,
enum class Isa { NEGLOG_FOR_EACH_ISA(X) };
#undef X

Isa isa();                   // the one in use
const char *isa_name(Isa);   // "baseline", "avx2", "avx512"
bool isa_available(Isa);     // compiled in and supported by this machine
void choose_isa_at_import(); // throws std::runtime_error when NEGLOG_ISA names an unknown or unsupported one

} // namespace neglog

// Declares name::table() for every instruction set, and concept_table() that returns the chosen one.
// Usage, once per concept in the binding's .cpp:  NEGLOG_CHOOSE(RowKernels, row_kernels)
#define NEGLOG_DECLARE_ONE(isa_name_, Table, getter)                                                                   \
  namespace neglog::isa_name_ {                                                                                        \
  const neglog::Table &getter();                                                                                       \
  }
#if defined(NEGLOG_X86)
#define NEGLOG_CHOOSE(Table, getter)                                                                                   \
  NEGLOG_DECLARE_ONE(baseline, Table, getter)                                                                          \
  NEGLOG_DECLARE_ONE(avx2, Table, getter)                                                                              \
  NEGLOG_DECLARE_ONE(avx512, Table, getter)                                                                            \
  namespace neglog {                                                                                                   \
  static const Table &getter() {                                                                                       \
    switch (isa()) {                                                                                                   \
    case Isa::avx512: return avx512::getter();                                                                         \
    case Isa::avx2: return avx2::getter();                                                                             \
    default: return baseline::getter();                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  }
#else
#define NEGLOG_CHOOSE(Table, getter)                                                                                   \
  NEGLOG_DECLARE_ONE(baseline, Table, getter)                                                                          \
  namespace neglog {                                                                                                   \
  static const Table &getter() { return baseline::getter(); }                                                          \
  }
#endif
