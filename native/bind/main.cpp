#include "bind.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "threads.hpp"

NB_MODULE(_native, m) {
  m.doc() = "neglog's native core. Private: shapes and dtypes are checked by the Python that calls it.";
  neglog::choose_isa_at_import();

  m.def("isa", [] { return std::string(neglog::isa_name(neglog::isa())); }, "The instruction set in use.");
  m.def(
      "available_isas",
      [] {
        std::vector<std::string> names;
#define X(name)                                                                                                        \
  if (neglog::isa_available(neglog::Isa::name)) names.emplace_back(#name);
        NEGLOG_FOR_EACH_ISA(X)
#undef X
        return names;
      },
      "Instruction sets that were compiled in and that this machine has.");
  m.def("get_num_threads", &neglog::get_num_threads,
        "get_num_threads()\n--\n\nHow many threads neglog's kernels may use.\n\n>>> import neglog as nl\n"
        ">>> nl.get_num_threads() >= 1\nTrue\n");
  m.def(
      "set_num_threads",
      [](int n) {
        if (n < 1)
          throw nb::value_error(("set_num_threads: n = " + std::to_string(n) + "; at least 1 is needed").c_str());
        neglog::set_num_threads(n);
      },
      nb::arg("n"),
      "set_num_threads(n)\n--\n\nLimit the threads of neglog's kernels to n >= 1. The initial limit is "
      "OMP_NUM_THREADS,\n"
      "otherwise the processors that this process may use. Results do not depend on it.\n\n>>> import neglog as nl\n"
      ">>> nl.set_num_threads(nl.get_num_threads())\n");

  bind_rows(m);
  bind_accumulate(m);
  bind_families(m);
  bind_functions(m);
  bind_losses(m);
  bind_mixtures(m);
  bind_scores(m);
  bind_stats(m);
  bind_units(m);
}
