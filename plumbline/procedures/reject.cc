#include "plumbline/procedures/reject.h"

#include <algorithm>
#include <cmath>

#include "plumbline/procedures/plain.h"

namespace plumbline {
namespace {

Status ValidateReject(const RejectOptions& options) {
  if (!std::isfinite(options.threshold)) {
    return Fail(ErrorCode::kInvalidArgument, "threshold must be a number");
  }
  if (options.max_candidates < 1 || options.parallel < 1) {
    return Fail(ErrorCode::kInvalidArgument, "max_candidates and parallel must be 1 or more");
  }
  return {};
}

/// Draws and judges candidates `begin` to `end`.
Task<Result<std::vector<PlainAnswer>>> JudgedAnswers(const ProcedureInput& input, int begin,
                                                     int end, const Budget& budget) {
  const RandomKey base = input.key.Derive("candidate");
  std::vector<RandomKey> keys;
  for (int i = begin; i < end; ++i) keys.push_back(base.Derive(static_cast<uint64_t>(i)));
  auto drawn = co_await DrawAnswers(input, std::move(keys), budget, nullptr);
  if (!drawn) co_return drawn;
  std::vector<std::string> replies;
  for (const PlainAnswer& plain : *drawn) replies.push_back(plain.candidate.text);
  auto judged = co_await input.scorer->Score(input.dialogue, std::move(replies), input.call);
  if (!judged) co_return FailWith(judged);
  for (size_t i = 0; i < drawn->size(); ++i) (*drawn)[i].candidate.value = (*judged)[i].value;
  co_return drawn;
}

}  // namespace

Task<Result<Answer>> Reject(ProcedureInput input, RejectOptions options) {
  PLUMBLINE_CO_TRY(ValidateInput(input, /*needs_scorer=*/true));
  PLUMBLINE_CO_TRY(ValidateReject(options));
  const Budget budget(input.limits, *input.call.usage);
  Answer answer;
  bool accepted = false;
  std::optional<StopCause> out_of_budget;
  while (!accepted && !out_of_budget) {
    const int begin = static_cast<int>(answer.candidates.size());
    const int end = std::min(begin + options.parallel, options.max_candidates);
    if (begin == end) break;
    auto wave = co_await JudgedAnswers(input, begin, end, budget);
    if (!wave) co_return FailWith(wave);
    for (PlainAnswer& plain : *wave) {
      answer.candidates.push_back(std::move(plain.candidate));
      const Candidate& newest = answer.candidates.back();
      if (input.observer != nullptr) {
        input.observer->OnCandidate(static_cast<int>(answer.candidates.size()),
                                    options.max_candidates, *newest.value);
      }
      if (answer.candidates.size() == 1 || *newest.value > *answer.chosen.value) {
        answer.chosen = newest;
        answer.cause = plain.budget.value_or(CauseOf(newest.finish));
      }
      accepted = *newest.value >= options.threshold;
      if (accepted) break;
    }
    out_of_budget = budget.Exceeded();
  }
  if (!accepted && out_of_budget) answer.cause = *out_of_budget;
  if (input.observer != nullptr) input.observer->OnCommit(answer.chosen.text);
  co_return answer;
}

}  // namespace plumbline
