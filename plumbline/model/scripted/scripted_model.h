// An exact in-memory language model for tests and property checks: what it says is a function that
// the test writes down, what it was asked is a log that the test reads, and what goes wrong is a
// script.
//
// It answers as the embedded model does: verbs queue what they need, RunRound answers all that is
// queued at once, so that merging and batch widths can be seen.
#pragma once

#include <coroutine>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/model/sampler.h"

namespace plumbline {

/// What a scripted model knows. Ids: 0 is the end of text, then `words` in order, then one token
/// for every byte, so that any text can be tokenised (longest word first). The model itself never
/// says a byte token unless `logits` gives it a finite logit.
struct ScriptedOptions {
  std::string name = "scripted";
  std::vector<std::string> words;  ///< Distinct, not empty.
  /// Logits of the next token for a path of ids (the prompt included): at most as many as the
  /// vocabulary; missing ones are -infinity. Pure.
  std::function<std::vector<float>(std::span<const TokenId>)> logits;
  int context_tokens = 4096;
  int embedding_size = 32;
  /// Asked before each verb runs, with its number from 0 and its name ("Continue"); an error makes
  /// that verb fail with it.
  std::function<std::optional<Error>(int call, std::string_view verb)> failure;
};

/// What one round answered.
struct ScriptedRound {
  int rows = 0;   ///< Token positions whose logits were wanted, over all verbs.
  int asked = 0;  ///< Verbs that were waiting.
};

/// One verb as it was called.
struct ScriptedCall {
  std::string verb;
  int width = 0;        ///< Draws, branches or texts.
  int path_tokens = 0;  ///< Length of the (first) branch.
};

class ScriptedModel : public LanguageModel {
 public:
  explicit ScriptedModel(ScriptedOptions options);

  const std::vector<ScriptedRound>& rounds() const { return rounds_; }
  const std::vector<ScriptedCall>& calls() const { return calls_; }
  /// Tokens that a text consists of.
  std::vector<TokenId> Tokenize(std::string_view text) const;
  /// The token of a word that was given; CHECKs that there is one.
  TokenId WordId(std::string_view word) const;
  std::string TokenText(TokenId token) const;
  std::vector<TokenId> PathOf(const Branch& branch) const;

  bool RunRound() override;
  const ModelInfo& info() const override { return info_; }
  Result<Prompt> FormatChat(const Dialogue& dialogue, const ChatStyle& style) const override;
  Result<int> CountTokens(std::string_view text) const override;
  Result<Branch> Open(const Prompt& prompt) override;
  Result<Branch> Append(const Branch& branch, const Prompt& more) override;
  int Length(const Branch& branch) const override;
  Task<Result<std::vector<TokenSet>>> Continue(Branch branch, std::vector<Draw> draws, Until until,
                                               Call call) override;
  Task<Result<std::vector<TokenProbability>>> TopTokens(Branch branch, int k, Call call) override;
  Result<Branch> AppendToken(const Branch& branch, TokenId token) override;
  Task<Result<std::vector<std::vector<double>>>> Choose(std::vector<Branch> branches,
                                                        std::vector<std::string> options,
                                                        Call call) override;
  Task<Result<std::vector<double>>> LogProb(Branch branch, std::string text, Call call) override;
  /// A bag of words: each word adds its own fixed pseudo-random direction.
  Task<Result<std::vector<std::vector<float>>>> Embed(std::vector<std::string> texts,
                                                      Call call) override;

 private:
  struct State;
  /// One continuation in progress.
  struct Growing;
  /// A verb that waits for rows of logits: suspended until a round answers it.
  struct Waiting {
    ScriptedModel* model;
    int rows;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> asker) { model->queue_.push_back({asker, rows}); }
    void await_resume() const noexcept {}
  };
  struct Queued {
    std::coroutine_handle<> asker;
    int rows;
  };

  /// Counts the call, and gives the error that the script or a request to stop wants.
  Status Begin(std::string_view verb, int width, const Branch& branch, const Call& call);
  std::vector<float> Logits(std::span<const TokenId> path) const;
  Branch MakeBranch(std::vector<TokenId> path) const;
  Status CheckLength(size_t tokens) const;
  void Advance(Growing& growing, const Until& until, Usage& usage);
  TokenSet Finish(Growing growing, FinishReason reason) const;

  ScriptedOptions options_;
  ModelInfo info_;
  std::vector<std::string> texts_;  ///< By id.
  std::map<std::string, TokenId, std::less<>> ids_;
  size_t longest_word_ = 1;
  std::vector<Queued> queue_;
  std::vector<ScriptedRound> rounds_;
  std::vector<ScriptedCall> calls_;
  TokenSampler sampler_;
};

/// Logits that are a fixed pseudo-random function of the last `memory` tokens and the seed: spread
/// over [-range, range] for the words, `end_bias` for the end of text.
std::function<std::vector<float>(std::span<const TokenId>)> HashedLogits(
    size_t words, uint64_t seed, double range = 3, double end_bias = -2, int memory = 3);

}  // namespace plumbline
