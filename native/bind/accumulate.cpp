#include "bind.hpp"
void bind_accumulate(nb::module_ &) {}
