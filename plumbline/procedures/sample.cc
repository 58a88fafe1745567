#include "plumbline/procedures/sample.h"

#include "plumbline/procedures/plain.h"

namespace plumbline {

Task<Result<Answer>> Sample(ProcedureInput input) {
  PLUMBLINE_CO_TRY(ValidateInput(input, /*needs_scorer=*/false));
  const Budget budget(input.limits, *input.call.usage);
  std::vector<RandomKey> keys{input.key.Derive("sample")};
  auto drawn = co_await DrawAnswers(input, std::move(keys), budget, input.observer);
  if (!drawn) co_return FailWith(drawn);
  PlainAnswer& plain = drawn->front();
  Answer answer;
  answer.cause = plain.budget.value_or(CauseOf(plain.candidate.finish));
  answer.chosen = std::move(plain.candidate);
  co_return answer;
}

}  // namespace plumbline
