// Plain sampling: the baseline that every other procedure is measured against.
#pragma once

#include "plumbline/procedures/procedure.h"

namespace plumbline {

/// Draws one answer by `input.sampling`. Needs no scorer; asks it for nothing.
Task<Result<Answer>> Sample(ProcedureInput input);

}  // namespace plumbline
