// Shared by the bindings: array arguments. Python has checked shapes, dtypes and contiguity; what arrives is trusted.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>

namespace nb = nanobind;

using AnyArray = nb::ndarray<nb::ro, nb::device::cpu, nb::c_contig>;
using OutArray = nb::ndarray<nb::device::cpu, nb::c_contig>;
template <class T> using In = nb::ndarray<const T, nb::device::cpu, nb::c_contig>;
template <class T> using Out = nb::ndarray<T, nb::device::cpu, nb::c_contig>;

template <class T> bool holds(const AnyArray &a) { return a.dtype() == nb::dtype<T>(); }

void bind_rows(nb::module_ &m);
void bind_accumulate(nb::module_ &m);
void bind_families(nb::module_ &m);
void bind_functions(nb::module_ &m);
void bind_losses(nb::module_ &m);
void bind_mixtures(nb::module_ &m);
void bind_scores(nb::module_ &m);
void bind_stats(nb::module_ &m);
void bind_units(nb::module_ &m);
