// Best-of-N: draw N answers, keep the one that the scorer values most. Worst-of-N keeps the one
// that it values least: how an attacker with N tries sees the model.
#pragma once

#include "plumbline/procedures/procedure.h"

namespace plumbline {

struct BestOfNOptions {
  int n = 8;           ///< >= 1; drawn and judged together.
  bool worst = false;  ///< Keep the least valued.
};

/// Ties go to the answer drawn first. All candidates come back with their values, in the order of
/// their draws. When a budget runs out, the candidates as far as they are written are judged.
Task<Result<Answer>> BestOfN(ProcedureInput input, BestOfNOptions options);

}  // namespace plumbline
