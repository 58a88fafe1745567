// Rejection: draw answers until one is good enough or the tries are used up.
#pragma once

#include "plumbline/procedures/procedure.h"

namespace plumbline {

struct RejectOptions {
  double threshold = 0;    ///< In [-1, 1]; the first answer valued this or more is kept.
  int max_candidates = 8;  ///< >= 1.
  int parallel = 4;        ///< >= 1; drawn and judged together. Doesn't change the result.
};

/// If no answer reaches the threshold, the best one is kept (ties: the first drawn). `candidates`
/// ends with the accepted one.
Task<Result<Answer>> Reject(ProcedureInput input, RejectOptions options);

}  // namespace plumbline
