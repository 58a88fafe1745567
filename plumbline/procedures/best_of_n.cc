#include "plumbline/procedures/best_of_n.h"

#include "plumbline/procedures/plain.h"

namespace plumbline {
namespace {

/// Index of the largest value (of `sign * value`); ties: the first.
size_t BestIndex(const std::vector<Candidate>& candidates, double sign) {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (sign * *candidates[i].value > sign * *candidates[best].value) best = i;
  }
  return best;
}

}  // namespace

Task<Result<Answer>> BestOfN(ProcedureInput input, BestOfNOptions options) {
  PLUMBLINE_CO_TRY(ValidateInput(input, /*needs_scorer=*/true));
  if (options.n < 1) co_return Fail(ErrorCode::kInvalidArgument, "n must be 1 or more");
  const Budget budget(input.limits, *input.call.usage);
  const RandomKey base = input.key.Derive("candidate");
  std::vector<RandomKey> keys;
  for (int i = 0; i < options.n; ++i) keys.push_back(base.Derive(static_cast<uint64_t>(i)));
  auto drawn = co_await DrawAnswers(input, std::move(keys), budget, nullptr);
  if (!drawn) co_return FailWith(drawn);

  std::vector<std::string> replies;
  for (const PlainAnswer& plain : *drawn) replies.push_back(plain.candidate.text);
  auto judged = co_await input.scorer->Score(input.dialogue, std::move(replies), input.call);
  if (!judged) co_return FailWith(judged);

  Answer answer;
  for (size_t i = 0; i < drawn->size(); ++i) {
    Candidate candidate = std::move((*drawn)[i].candidate);
    candidate.value = (*judged)[i].value;
    if (input.observer != nullptr) {
      input.observer->OnCandidate(static_cast<int>(i) + 1, options.n, *candidate.value);
    }
    answer.candidates.push_back(std::move(candidate));
  }
  const size_t best = BestIndex(answer.candidates, options.worst ? -1 : 1);
  answer.chosen = answer.candidates[best];
  answer.cause = (*drawn)[best].budget.value_or(CauseOf(answer.chosen.finish));
  if (input.observer != nullptr) input.observer->OnCommit(answer.chosen.text);
  co_return answer;
}

}  // namespace plumbline
