#include "plumbline/procedures/answer_writer.h"

#include <algorithm>

#include "plumbline/core/check.h"

namespace plumbline {

std::string_view CutAtStop(std::string_view text, const std::vector<std::string>& stops,
                           size_t from) {
  size_t cut = std::string_view::npos;
  for (const std::string& stop : stops) {
    if (stop.empty()) continue;
    const size_t begin = from >= stop.size() ? from - stop.size() + 1 : 0;
    cut = std::min(cut, text.find(stop, begin));
  }
  return text.substr(0, cut);
}

size_t SafeLength(std::string_view text, const std::vector<std::string>& stops) {
  size_t safe = text.size();
  for (const std::string& stop : stops) {
    const size_t longest = std::min(stop.empty() ? 0 : stop.size() - 1, text.size());
    for (size_t length = longest; length > 0; --length) {
      if (text.ends_with(std::string_view(stop).substr(0, length))) {
        safe = std::min(safe, text.size() - length);
        break;
      }
    }
  }
  return safe;
}

void AnswerWriter::Emit(size_t end) {
  if (end <= emitted_) return;
  if (observer_ != nullptr) {
    observer_->OnCommit(std::string_view(raw_).substr(emitted_, end - emitted_));
  }
  emitted_ = end;
}

void AnswerWriter::Append(std::string_view piece, int tokens, double log_prob) {
  const size_t before = raw_.size();
  raw_ += piece;
  tokens_ += tokens;
  log_prob_ += log_prob;
  const size_t cut = CutAtStop(raw_, limits_.stop_strings, before).size();
  stopped_ = stopped_ || cut < raw_.size();
  if (stopped_) {
    Emit(text().size());
  } else {
    Emit(SafeLength(raw_, limits_.stop_strings));
  }
}

void AnswerWriter::Close() { Emit(text().size()); }

Budget::Budget(const Limits& limits, const Usage& usage)
    : limits_(limits),
      usage_(usage),
      tokens_before_(usage.tokens_read),
      start_(std::chrono::steady_clock::now()) {}

std::optional<StopCause> Budget::Exceeded() const {
  if (limits_.token_budget && usage_.tokens_read - tokens_before_ >= *limits_.token_budget) {
    return StopCause::kTokenBudget;
  }
  if (limits_.time_budget && std::chrono::steady_clock::now() - start_ >= *limits_.time_budget) {
    return StopCause::kTimeBudget;
  }
  return std::nullopt;
}

double Budget::elapsed_ms() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
      .count();
}

Status ValidateInput(const ProcedureInput& input, bool needs_scorer) {
  PLUMBLINE_CHECK(input.model != nullptr && input.call.usage != nullptr && input.prompt.valid());
  if (needs_scorer && input.scorer == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "this procedure needs a scorer",
                "name what to align to");
  }
  if (input.limits.max_tokens < 1) {
    return Fail(ErrorCode::kInvalidArgument, "max_tokens must be 1 or more");
  }
  for (const std::string& stop : input.limits.stop_strings) {
    if (stop.empty()) return Fail(ErrorCode::kInvalidArgument, "a stop string must not be empty");
  }
  return ValidateSampling(input.sampling);
}

Result<int> AnswerTokenLimit(const ProcedureInput& input) {
  const int context = input.model->info().context_tokens;
  if (context == 0) return input.limits.max_tokens;
  const int prompt = input.model->Length(input.prompt);
  if (prompt >= context) {
    return Fail(ErrorCode::kTooLong,
                "the prompt's " + std::to_string(prompt) +
                    " tokens leave no room for an answer in " + std::to_string(context),
                "shorten the prompt or use a larger context");
  }
  return std::min(input.limits.max_tokens, context - prompt);
}

StopCause CauseOf(FinishReason finish) {
  const bool full = finish == FinishReason::kLength || finish == FinishReason::kClause;
  return full ? StopCause::kMaxTokens : StopCause::kFinished;
}

std::string_view StopCauseName(StopCause cause) {
  switch (cause) {
    case StopCause::kFinished:
      return "finished";
    case StopCause::kMaxTokens:
      return "max_tokens";
    case StopCause::kTimeBudget:
      return "time_budget";
    case StopCause::kTokenBudget:
      return "token_budget";
  }
  PLUMBLINE_CHECK(false);
  return {};
}

}  // namespace plumbline
