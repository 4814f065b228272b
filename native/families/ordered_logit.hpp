// A class of the cumulative logit model, between its two thresholds (ordered.hpp).
#pragma once

#include "ordered.hpp"

namespace neglog {
namespace NEGLOG_ISA {

NEGLOG_FAMILY(ordered_logit, Ordered<LogitLink>)

} // namespace NEGLOG_ISA
} // namespace neglog
