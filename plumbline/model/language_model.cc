#include "plumbline/model/language_model.h"

#include <cmath>
#include <numeric>

namespace plumbline {

Usage& Usage::operator+=(const Usage& other) {
  tokens_read += other.tokens_read;
  tokens_generated += other.tokens_generated;
  tokens_reused += other.tokens_reused;
  tokens_reread += other.tokens_reread;
  tokens_embedded += other.tokens_embedded;
  calls += other.calls;
  return *this;
}

Status ValidateSampling(const Sampling& sampling) {
  const auto check = [](bool holds, const char* rule) -> Status {
    if (holds) return {};
    return Fail(ErrorCode::kInvalidArgument, std::string("sampling: ") + rule);
  };
  PLUMBLINE_TRY(check(std::isfinite(sampling.temperature) && sampling.temperature >= 0,
                      "temperature must be 0 or more"));
  PLUMBLINE_TRY(check(sampling.top_k >= 0, "top_k must be 0 (all) or more"));
  PLUMBLINE_TRY(check(sampling.top_p > 0 && sampling.top_p <= 1, "top_p must be in (0, 1]"));
  PLUMBLINE_TRY(check(sampling.min_p >= 0 && sampling.min_p < 1, "min_p must be in [0, 1)"));
  PLUMBLINE_TRY(check(std::isfinite(sampling.repetition_penalty) && sampling.repetition_penalty > 0,
                      "repetition_penalty must be more than 0"));
  return check(sampling.penalty_window >= 0, "penalty_window must be 0 or more");
}

double TokenSet::TotalLogProb() const {
  const double sum = std::accumulate(log_probs.begin(), log_probs.end(), 0.0);
  return finish == FinishReason::kEndOfText ? sum + end_log_prob : sum;
}

Task<Result<TokenSet>> ContinueOne(LanguageModel& model, Branch branch, Draw draw, Until until,
                                   Call call) {
  std::vector<Draw> draws{draw};
  auto sets = co_await model.Continue(std::move(branch), std::move(draws), std::move(until), call);
  if (!sets.has_value()) co_return FailWith(sets);
  co_return std::move(sets->front());
}

}  // namespace plumbline
