#include "plumbline/procedures/plain.h"

#include <algorithm>
#include <numeric>

namespace plumbline {
namespace {

double ModelLogProb(const TokenSet& set) {
  const double sum = std::accumulate(set.model_log_probs.begin(), set.model_log_probs.end(), 0.0);
  return set.finish == FinishReason::kEndOfText ? sum + set.end_model_log_prob : sum;
}

Until RunFrom(const ProcedureInput& input, int tokens, int limit) {
  Until until;
  until.max_tokens = std::min(kRunTokens, limit - tokens);
  until.stop_strings = input.limits.stop_strings;
  return until;
}

Draw DrawOf(const ProcedureInput& input, RandomKey key, int run) {
  return {.sampling = input.sampling, .key = key.Derive(static_cast<uint64_t>(run))};
}

/// Goes on from the first run until the answer ends.
Task<Result<PlainAnswer>> GoOn(const ProcedureInput& input, RandomKey key, TokenSet set, int limit,
                               const Budget& budget, ProcedureObserver* observer) {
  AnswerWriter writer(input.limits, observer);
  PlainAnswer answer;
  for (int run = 1;; ++run) {
    writer.Append(set.text, static_cast<int>(set.tokens.size()), ModelLogProb(set));
    answer.budget = budget.Exceeded();
    const bool ended = set.finished() || writer.stopped() || writer.tokens() >= limit;
    if (ended || answer.budget) break;
    std::vector<Draw> draws{DrawOf(input, key, run)};
    Until until = RunFrom(input, writer.tokens(), limit);
    auto next =
        co_await input.model->Continue(set.end, std::move(draws), std::move(until), input.call);
    if (!next) co_return FailWith(next);
    set = std::move(next->front());
  }
  writer.Close();
  const bool ended = set.finished() || writer.stopped();
  if (ended) answer.budget.reset();
  answer.candidate.text = writer.text();
  answer.candidate.tokens = writer.tokens();
  answer.candidate.log_prob = writer.log_prob();
  answer.candidate.finish = writer.stopped() ? FinishReason::kStopString : set.finish;
  co_return answer;
}

}  // namespace

Task<Result<std::vector<PlainAnswer>>> DrawAnswers(const ProcedureInput& input,
                                                   std::vector<RandomKey> keys,
                                                   const Budget& budget,
                                                   ProcedureObserver* observer) {
  PLUMBLINE_CO_ASSIGN(const int limit, AnswerTokenLimit(input));
  std::vector<Draw> draws;
  for (const RandomKey key : keys) draws.push_back(DrawOf(input, key, 0));
  Until until = RunFrom(input, 0, limit);
  auto first =
      co_await input.model->Continue(input.prompt, std::move(draws), std::move(until), input.call);
  if (!first) co_return FailWith(first);
  std::vector<Task<Result<PlainAnswer>>> tasks;
  for (size_t i = 0; i < keys.size(); ++i) {
    ProcedureObserver* const hears = i == 0 ? observer : nullptr;
    tasks.push_back(GoOn(input, keys[i], std::move((*first)[i]), limit, budget, hears));
  }
  auto results = co_await WhenAll(std::move(tasks));
  std::vector<PlainAnswer> answers;
  for (Result<PlainAnswer>& result : results) {
    if (!result) co_return FailWith(result);
    answers.push_back(std::move(*result));
  }
  co_return answers;
}

}  // namespace plumbline
