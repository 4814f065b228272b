// A class of the cumulative cloglog model, between its two thresholds (ordered.hpp).
#pragma once

#include "ordered.hpp"

namespace neglog {
namespace NEGLOG_ISA {

NEGLOG_FAMILY(ordered_cloglog, Ordered<CloglogLink>)

} // namespace NEGLOG_ISA
} // namespace neglog
