// Plain sampling of one or many answers, in short runs of tokens so that budgets, streaming and
// cancellation are heard between them. What sample, best-of-N and rejection are made of.
#pragma once

#include <vector>

#include "plumbline/procedures/answer_writer.h"

namespace plumbline {

/// Tokens drawn between two looks at the clock. Part of how random numbers are dealt (each run has
/// its own stream), so changing it changes answers.
inline constexpr int kRunTokens = 8;

/// What plain sampling gives, with why it ended if a budget did it.
struct PlainAnswer {
  Candidate candidate;
  std::optional<StopCause> budget;
};

/// One answer from each key, all advanced together; the prompt is read once. Only `observer` of
/// the first hears commits, and may be null. `budget` outlives the call.
Task<Result<std::vector<PlainAnswer>>> DrawAnswers(const ProcedureInput& input,
                                                   std::vector<RandomKey> keys,
                                                   const Budget& budget,
                                                   ProcedureObserver* observer);

}  // namespace plumbline
