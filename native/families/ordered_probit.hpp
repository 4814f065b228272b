// A class of the cumulative probit model, between its two thresholds (ordered.hpp).
#pragma once

#include "ordered.hpp"

namespace neglog {
namespace NEGLOG_ISA {

NEGLOG_FAMILY(ordered_probit, Ordered<ProbitLink>)

} // namespace NEGLOG_ISA
} // namespace neglog
