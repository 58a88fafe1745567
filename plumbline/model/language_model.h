// What a language model is to a procedure: positions in the tree of token sequences, and a few
// awaitable verbs on them that say what is wanted, not how.
//
// A `Branch` is a position. Forking is copying it, rewinding is using an older one, dropping it is
// letting go; none of these computes anything. Whether a branch's keys and values are resident is
// the backend's business: what was evicted is read again when it is touched, and counted.
//
// The verbs are coroutines: everything that is awaited at the same time, by whichever branch or
// request, is answered in one batch. Verbs and branches are used on the executor's thread only
// (core/executor.h); `Tokenize`, `info` and the other const functions that aren't Tasks are safe
// from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/executor.h"
#include "plumbline/core/random.h"
#include "plumbline/core/result.h"
#include "plumbline/core/task.h"
#include "plumbline/model/chat.h"

namespace plumbline {

using TokenId = int32_t;

/// What a request cost. Tokens are counted where they happen, by whoever asked first when two
/// requests share them.
struct Usage {
  int64_t tokens_read = 0;       ///< Went through the model: prompts, own samples, judgements.
  int64_t tokens_generated = 0;  ///< Sampled (each is read as well, if something follows it).
  int64_t tokens_reused = 0;     ///< Were needed and found resident.
  int64_t tokens_reread = 0;     ///< Of tokens_read: had been read before, and evicted since.
  int64_t tokens_embedded = 0;   ///< Read to embed texts; not in tokens_read.
  int64_t calls = 0;             ///< Verbs awaited.

  Usage& operator+=(const Usage& other);
};

/// Who asks: where to count, and when to stop. A verb that sees `stop` requested fails with
/// kCancelled at the next token. `usage` outlives the call.
struct Call {
  Usage* usage = nullptr;
  std::stop_token stop;
};

/// How to draw the next token from the model's distribution. Applied in the order of the fields.
struct Sampling {
  double repetition_penalty = 1.0;  ///< > 0; divides (or multiplies) logits of tokens just used.
  int penalty_window = 64;          ///< Tokens that count as "just used"; 0 for none.
  int top_k = 0;                    ///< Keep the k most likely; 0 keeps all.
  double top_p = 1.0;               ///< (0, 1]; keep the smallest set with at least this mass.
  double min_p = 0.0;               ///< [0, 1); drop tokens below min_p times the largest.
  double temperature = 1.0;         ///< >= 0; 0 takes the most likely token.
};

/// Fails with kInvalidArgument, naming the field, if one is out of range.
Status ValidateSampling(const Sampling& sampling);

/// One continuation that is wanted: a rule and its own stream of random numbers.
struct Draw {
  Sampling sampling;
  RandomKey key;
  bool greedy = false;  ///< Take the most likely token each time, but report probabilities under
                        ///< `sampling` (RAIN compares a greedy child with sampled ones).
};

/// Where a continuation ends. The model's own end of text always ends it.
struct Until {
  int max_tokens = 1;                     ///< >= 1.
  bool clause = false;                    ///< After a token with one of , . ? : ; or a newline.
  std::vector<std::string> stop_strings;  ///< At the first occurrence; the text ends before it.
};

enum class FinishReason { kLength, kClause, kEndOfText, kStopString };

class BranchState;  // a backend's own

/// A position in the tree of token sequences: an owning handle. Copies are the same position.
/// Default-constructed: no position; verbs refuse it by CHECK.
class Branch {
 public:
  Branch() = default;
  explicit Branch(std::shared_ptr<BranchState> state) : state_(std::move(state)) {}
  bool valid() const { return state_ != nullptr; }
  const std::shared_ptr<BranchState>& state() const { return state_; }

 private:
  std::shared_ptr<BranchState> state_;
};

/// Base of what a backend keeps for a branch.
class BranchState {
 public:
  virtual ~BranchState() = default;
};

/// A run of tokens that follows a branch: RAIN's token set.
struct TokenSet {
  std::vector<TokenId> tokens;         ///< Without the end-of-text token.
  std::string text;                    ///< Their bytes; may end inside a UTF-8 character.
  std::vector<float> log_probs;        ///< Per token, nats, under the draw's sampling rule.
  std::vector<float> model_log_probs;  ///< Per token, nats, under the model itself (T = 1, no cut).
  double end_log_prob = 0;             ///< kEndOfText: log-probability of ending, under the rule.
  double end_model_log_prob = 0;       ///< kEndOfText: the same under the model itself.
  FinishReason finish = FinishReason::kLength;
  Branch end;  ///< The branch after `tokens` (before a stop string's token is cut: see finish).

  /// Whether the text is complete here: nothing may follow.
  bool finished() const {
    return finish == FinishReason::kEndOfText || finish == FinishReason::kStopString;
  }
  /// Sum of log_probs, with end_log_prob if the text ended.
  double TotalLogProb() const;
};

struct TokenProbability {
  TokenId token = 0;
  std::string text;     ///< Bytes; empty for the end of text.
  double log_prob = 0;  ///< Nats, under the model itself.
  bool end_of_text = false;
};

/// What a model is and can do; fixed once loaded.
struct ModelInfo {
  std::string name;         ///< As users call it.
  std::string description;  ///< Architecture, size, quantisation; for people.
  int vocabulary_size = 0;  ///< 0 if unknown (remote).
  int context_tokens = 0;   ///< The longest path; 0 if unknown.
  bool has_chat_template = false;
  bool deterministic = false;    ///< Same seed, same answer at any batch width, thread count, load.
  std::string determinism_note;  ///< When not deterministic: what may differ and why.
};

class LanguageModel : public Backend {
 public:
  virtual const ModelInfo& info() const = 0;

  /// Writes a dialogue as this model wants to read it: by its own chat template if it has one
  /// and `style` allows, else as plain text.
  virtual Result<Prompt> FormatChat(const Dialogue& dialogue, const ChatStyle& style) const = 0;

  /// The number of tokens in a text, without special tokens.
  virtual Result<int> CountTokens(std::string_view text) const = 0;

  /// The position after a prompt, which starts a sequence (a beginning-of-text token is added if
  /// the model wants one). Nothing is read yet. Pieces are tokenised separately. Fails with
  /// kTooLong if the path exceeds the context, kInvalidInput if the prompt has no token at all.
  virtual Result<Branch> Open(const Prompt& prompt) = 0;

  /// The position after more text. `Append(Open(a), b)` holds the tokens of a, then those of b.
  virtual Result<Branch> Append(const Branch& branch, const Prompt& more) = 0;

  /// The number of tokens on the path to a branch.
  virtual int Length(const Branch& branch) const = 0;

  /// One token set for each draw, in the order given, all advanced together.
  virtual Task<Result<std::vector<TokenSet>>> Continue(Branch branch, std::vector<Draw> draws,
                                                       Until until, Call call) = 0;

  /// The k most likely next tokens, most likely first (ties: the smaller id first).
  virtual Task<Result<std::vector<TokenProbability>>> TopTokens(Branch branch, int k,
                                                                Call call) = 0;

  /// The position after one more token, as TopTokens returned it.
  virtual Result<Branch> AppendToken(const Branch& branch, TokenId token) = 0;

  /// For every branch, the log-probability of each option as its next text. Options are compared
  /// by their first token, which must differ between options (kUnsupported otherwise, naming
  /// them). Result [branch][option], nats, under the model itself; all in one batch.
  virtual Task<Result<std::vector<std::vector<double>>>> Choose(std::vector<Branch> branches,
                                                                std::vector<std::string> options,
                                                                Call call) = 0;

  /// Log-probability of each token of `text` after `branch`, nats, under the model itself.
  virtual Task<Result<std::vector<double>>> LogProb(Branch branch, std::string text, Call call) = 0;

  /// One embedding for each text, each of length 1 in the Euclidean norm. kUnsupported if the
  /// model can't.
  virtual Task<Result<std::vector<std::vector<float>>>> Embed(std::vector<std::string> texts,
                                                              Call call) = 0;
};

/// A single continuation: RAIN's roll-forward, or plain sampling.
Task<Result<TokenSet>> ContinueOne(LanguageModel& model, Branch branch, Draw draw, Until until,
                                   Call call);

}  // namespace plumbline
