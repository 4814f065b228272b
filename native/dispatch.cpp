#include "dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace neglog {
namespace {

constexpr Isa kAll[] = {
#define X(name) Isa::name,
    NEGLOG_FOR_EACH_ISA(X)
#undef X
};

Isa chosen = Isa::baseline;

} // namespace

const char *isa_name(Isa which) {
  switch (which) {
#define X(name)                                                                                                        \
  case Isa::name: return #name;
    NEGLOG_FOR_EACH_ISA(X)
#undef X
  }
  return "?";
}

bool isa_available(Isa which) {
#if defined(NEGLOG_X86)
  __builtin_cpu_init();
  switch (which) {
  case Isa::avx512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd") && isa_available(Isa::avx2);
  case Isa::avx2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
           __builtin_cpu_supports("bmi2");
  default: return true;
  }
#else
  return which == Isa::baseline;
#endif
}

Isa isa() { return chosen; }

void choose_isa_at_import() {
  if (const char *wanted = std::getenv("NEGLOG_ISA"); wanted && *wanted) {
    std::string known;
    for (Isa which : kAll) {
      if (std::string(wanted) == isa_name(which) && isa_available(which)) {
        chosen = which;
        return;
      }
      if (isa_available(which)) known += std::string(known.empty() ? "" : ", ") + isa_name(which);
    }
    throw std::runtime_error("NEGLOG_ISA=" + std::string(wanted) + " cannot be used; this machine has: " + known);
  }
  for (Isa which : kAll)
    if (isa_available(which)) chosen = which; // the last one is the widest
}

} // namespace neglog
