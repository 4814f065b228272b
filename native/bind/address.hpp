// Memory by address, as tensors give it: 0 stands for None. They have strides that array bindings would copy away, and
// bfloat16; and an address costs a tenth of what converting a small tensor to an array does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <tuple>

#include "layout.hpp"

namespace neglog {

using Address = std::uintptr_t;
using Place3 = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

inline Strides strides_of(const Place3 &s) { return {std::get<0>(s), std::get<1>(s), std::get<2>(s)}; }
template <class T> T *at(Address address) { return reinterpret_cast<T *>(address); }

// The strides of a gapless (outer, C, inner).
inline Strides gapless(std::int64_t classes, std::int64_t inner) { return {classes * inner, inner, 1}; }

// Rows that are evenly spaced in every one of these arrays need no second index.
inline void join_rows(std::int64_t &outer, std::int64_t &inner, std::initializer_list<Strides *> all) {
  const bool even = std::all_of(all.begin(), all.end(), [&](Strides *s) { return s->outer == inner * s->inner; });
  if (inner == 1 || (outer > 1 && !even)) return;
  for (Strides *s : all) s->outer = s->inner;
  outer *= inner, inner = 1;
}

} // namespace neglog
