// The text of one answer as it becomes final: stop strings wherever they fall, what must be held
// back until they are ruled out, and budgets. Shared by all procedures.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/procedures/procedure.h"

namespace plumbline {

/// `text` up to the first occurrence of any stop string that ends after byte `from` (earlier ones
/// have been looked for already); the whole text if there is none.
std::string_view CutAtStop(std::string_view text, const std::vector<std::string>& stops,
                           size_t from = 0);

/// The length of the part of `text` that no continuation can turn into a stop string's beginning.
size_t SafeLength(std::string_view text, const std::vector<std::string>& stops);

/// Collects final pieces and tells the observer what can no longer be cut.
class AnswerWriter {
 public:
  /// Both outlive the writer; `observer` may be null.
  AnswerWriter(const Limits& limits, ProcedureObserver* observer)
      : limits_(limits), observer_(observer) {}

  /// Adds a piece as the model wrote it.
  void Append(std::string_view piece, int tokens, double log_prob);
  /// Says that nothing follows: releases what was held back.
  void Close();

  /// All pieces, uncut: what the next piece follows.
  const std::string& raw() const { return raw_; }
  /// The answer so far.
  std::string text() const { return std::string(CutAtStop(raw_, limits_.stop_strings)); }
  int tokens() const { return tokens_; }
  double log_prob() const { return log_prob_; }
  /// Whether a stop string was met.
  bool stopped() const { return stopped_; }

 private:
  void Emit(size_t end);

  const Limits& limits_;
  ProcedureObserver* observer_;
  std::string raw_;
  size_t emitted_ = 0;
  int tokens_ = 0;
  double log_prob_ = 0;
  bool stopped_ = false;
};

/// The clock and the token counter of one request.
class Budget {
 public:
  /// Starts now. Both arguments outlive the budget.
  Budget(const Limits& limits, const Usage& usage);
  /// Which budget is used up, if one is.
  std::optional<StopCause> Exceeded() const;
  double elapsed_ms() const;

 private:
  const Limits& limits_;
  const Usage& usage_;
  int64_t tokens_before_;
  std::chrono::steady_clock::time_point start_;
};

/// Checks what a caller can get wrong: limits, sampling, a missing scorer (if `needs_scorer`).
Status ValidateInput(const ProcedureInput& input, bool needs_scorer);

/// `limits.max_tokens`, or as many as still fit the model's context; kTooLong if none does.
Result<int> AnswerTokenLimit(const ProcedureInput& input);

/// What Answer::cause says of an answer that no budget ended.
StopCause CauseOf(FinishReason finish);

/// "finished", "max_tokens", "time_budget", "token_budget".
std::string_view StopCauseName(StopCause cause);

}  // namespace plumbline
