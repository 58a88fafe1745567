// What every decoding procedure takes and gives. A procedure is one coroutine; each is declared in
// its own header (sample.h, best_of_n.h, reject.h, rain.h) and readable as the algorithm that it
// names.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/scoring/scorer.h"

namespace plumbline {

/// Where an answer must end whatever the procedure is doing. Budgets bound one request.
struct Limits {
  int max_tokens = 256;                   ///< Answer tokens, >= 1.
  std::vector<std::string> stop_strings;  ///< The answer ends before the first occurrence.
  std::optional<std::chrono::milliseconds> time_budget;  ///< Then: the best answer so far.
  std::optional<int64_t> token_budget;  ///< Of Usage::tokens_read: then the best answer so far.
};

/// A search's state in a few numbers, for a live view.
struct SearchProgress {
  int commit = 0;  ///< Token sets committed so far.
  int visits = 0;  ///< Since the last commit.
  int visit_limit = 0;
  int depth = 0;            ///< Of the deepest node below the root.
  int nodes = 0;            ///< Below the root.
  double best_value = 0;    ///< Mean value q of the leading child.
  std::string best_text;    ///< Its token set.
  std::string rolled_text;  ///< What the last visit judged, from the root on.
  double last_value = 0;    ///< And how.
};

/// Hears what a procedure does as it happens. Called on the executor's thread: return quickly.
class ProcedureObserver {
 public:
  virtual ~ProcedureObserver() = default;
  /// Text that is final. The pieces in order are the answer. May split a UTF-8 character.
  virtual void OnCommit(std::string_view /*text*/) {}
  /// Candidates finished so far (best-of-N, rejection).
  virtual void OnCandidate(int /*done*/, int /*total*/, double /*value*/) {}
  virtual void OnSearch(const SearchProgress& /*progress*/) {}
};

/// One request to a procedure. Everything pointed to outlives the coroutine.
struct ProcedureInput {
  LanguageModel* model = nullptr;     ///< Writes the answer. Required.
  Scorer* scorer = nullptr;           ///< Judges; required except by `sample`.
  LanguageModel* embedder = nullptr;  ///< For RAIN's similarity; null: `model`.
  Dialogue dialogue;                  ///< What the scorer judges replies to.
  Branch prompt;                      ///< The dialogue as `model` reads it.
  RandomKey key;                      ///< All randomness derives from it.
  Sampling sampling;                  ///< How plain tokens are drawn.
  Limits limits;
  ProcedureObserver* observer = nullptr;
  Call call;  ///< Usage is counted here; required.
};

/// One finished text with what is known of it.
struct Candidate {
  std::string text;
  int tokens = 0;
  double log_prob = 0;  ///< Nats, under the model itself, end of text included.
  FinishReason finish = FinishReason::kLength;
  std::optional<double> value;  ///< The scorer's, if it was asked.
};

/// Why a procedure stopped where it did.
enum class StopCause { kFinished, kMaxTokens, kTimeBudget, kTokenBudget };

struct SearchTrace;  // search/trace.h

/// What a procedure gives.
struct Answer {
  Candidate chosen;
  std::vector<Candidate> candidates;  ///< All that were drawn (best-of-N, reject); else empty.
  StopCause cause = StopCause::kFinished;
  int visits = 0;            ///< RAIN.
  int commits = 0;           ///< RAIN: token sets committed.
  int searched_commits = 0;  ///< RAIN: of these, by search rather than taken at once.
  std::shared_ptr<const SearchTrace> trace;  ///< RAIN, if it was asked for.
};

}  // namespace plumbline
