// The remote LanguageModel. Its members are spread over files by what they do:
//   remote_model.cc   paths, tokens, embeddings, and what all verbs share
//   continue.cc       Continue
//   probabilities.cc  TopTokens, Choose, LogProb
//   chat_template.cc  FormatChat
//   connect.cc        ConnectOpenAi
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/model/openai/chat_template.h"
#include "plumbline/model/openai/completion_answer.h"
#include "plumbline/model/openai/completion_request.h"
#include "plumbline/model/openai/draw_job.h"
#include "plumbline/model/openai/path.h"
#include "plumbline/model/openai/remote_calls.h"
#include "plumbline/model/openai/request_pool.h"
#include "plumbline/model/openai/server_profile.h"
#include "plumbline/model/openai/token_table.h"

namespace plumbline::openai {

class RemoteModel : public LanguageModel {
 public:
  struct Options {
    int top_log_probs = 20;
    bool use_server_chat_template = true;
  };

  RemoteModel(std::unique_ptr<RequestPool> pool, ServerProfile server, Options options);

  bool RunRound() override { return calls_.Deliver(); }
  void SetWaker(std::function<void()> wake) override { calls_.SetWaker(std::move(wake)); }

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
  Task<Result<std::vector<std::vector<float>>>> Embed(std::vector<std::string> texts,
                                                      Call call) override;

 private:
  using TokenLists = std::vector<std::vector<TokenId>>;

  /// What is tokenised by itself.
  struct Stretch {
    PromptPiece piece;
    bool first = false;  ///< Begins the sequence: a beginning-of-text token may come before.
    auto operator<=>(const Stretch& other) const {
      return std::tie(first, piece.special, piece.text) <=>
             std::tie(other.first, other.piece.special, other.piece.text);
    }
  };

  // What all verbs share.
  static PathPtr PathOf(const Branch& branch);
  RemoteRequest MakeRequest(std::string kind, std::string path, std::string body,
                            const Call& call) const;
  RemoteRequest TokenizeRequest(const Stretch& stretch, const Call& call) const;
  Result<std::vector<TokenId>> ParseTokens(std::string_view body) const;
  /// The tokens of each stretch, in the order given; asked once for each text, and remembered.
  Task<Result<TokenLists>> Tokenize(std::vector<Stretch> stretches, Call call);
  /// Learns the tokens of every stretch of the paths, if the server speaks token ids.
  Task<Status> Prepare(std::vector<PathPtr> paths, Call call);
  nlohmann::json PromptOf(const PathPtr& path) const;
  /// Performs completion requests; `wishes[i].count` choices in answer i. Counts the usage.
  Task<Result<std::vector<RemoteCompletion>>> Complete(std::vector<CompletionWish> wishes,
                                                       Call call);
  void CountUsage(const CompletionWish& wish, const RemoteCompletion& completion,
                  const Call& call) const;
  std::string CompletionWhere() const;

  // continue.cc
  CompletionWish ContinueWish(const DrawJob& job, const Until& part) const;
  Status TakePart(const std::vector<DrawJob>& jobs, std::vector<RemoteCompletion> completions,
                  const Until& part, DrawProgress& progress);
  Result<TokenSet> MakeSet(const PathPtr& path, RemoteChoice choice, const Sampling& sampling,
                           const Until& until);

  // probabilities.cc
  CompletionWish NextTokenWish(const PathPtr& path, int top_log_probs) const;
  Task<Result<std::vector<std::vector<double>>>> ChooseByIds(std::vector<PathPtr> paths,
                                                             std::vector<std::string> options,
                                                             Call call);
  Task<Result<std::vector<std::vector<double>>>> ChooseByText(std::vector<PathPtr> paths,
                                                              std::vector<std::string> options,
                                                              Call call);
  Task<Result<std::vector<double>>> ForcedLogProbs(std::vector<std::vector<TokenId>> prefixes,
                                                   std::vector<TokenId> tokens, Call call);
  Task<Result<std::vector<double>>> EchoedLogProbs(PathPtr path, std::string text, Call call);

  static constexpr size_t kRememberedTexts = 4096;

  const ServerProfile server_;
  const Options options_;
  ModelInfo info_;
  TokenTable tokens_;
  std::map<Stretch, std::vector<TokenId>> tokenized_;
  bool echoes_ = true;  ///< Until the server refuses.
  std::unique_ptr<RequestPool> pool_;
  RemoteCalls calls_;
  std::unique_ptr<ChatTemplate> chat_template_;
};

}  // namespace plumbline::openai
