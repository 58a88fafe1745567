// What coroutines await of the embedded model, as state that the rounds advance. An operation
// names the nodes whose logits it wants next, gets them, and is done or wants more.
#pragma once

#include <coroutine>
#include <string>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/model/llama/token_tree.h"
#include "plumbline/model/llama/vocabulary.h"
#include "plumbline/model/sampler.h"

namespace plumbline::llama {

/// A branch of the embedded model: a held node. Keeps the tree alive.
class NodeHandle : public BranchState {
 public:
  NodeHandle(std::shared_ptr<TokenTree> tree, TokenNode* node)
      : tree_(std::move(tree)), node_(node) {
    tree_->Hold(node_);
  }
  ~NodeHandle() override { tree_->Release(node_); }
  NodeHandle(const NodeHandle&) = delete;
  NodeHandle& operator=(const NodeHandle&) = delete;

  TokenNode* node() const { return node_; }
  const std::shared_ptr<TokenTree>& tree() const { return tree_; }

  /// The node of a branch that this backend made.
  static const NodeHandle& Of(const Branch& branch);
  Branch Child(TokenId token) const {
    return Branch(std::make_shared<NodeHandle>(tree_, tree_->Child(node_, token)));
  }

 private:
  std::shared_ptr<TokenTree> tree_;
  TokenNode* node_;
};

/// Base of all operations. Lives in the frame of the verb's coroutine.
class Operation {
 public:
  explicit Operation(Call call) : call_(std::move(call)) {}
  virtual ~Operation();
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// Appends the nodes whose logits are wanted now; none if finished.
  virtual void AppendDemands(std::vector<TokenNode*>& nodes) const = 0;
  /// The logits of the demand with this index in the last AppendDemands; `sampler` holds the row.
  virtual void Deliver(size_t index, TokenSampler& sampler) = 0;
  /// All deliveries of a round are made.
  virtual void EndRound() {}
  virtual bool finished() const = 0;
  /// Whether the logits of this demand may well be asked for again.
  virtual bool WorthKeeping(size_t /*index*/) const { return false; }

  const Call& call() const { return call_; }
  const Status& status() const { return status_; }
  void Abandon(Error error) { status_ = tl::unexpected<Error>(std::move(error)); }

 private:
  friend class Engine;
  Call call_;
  Status status_;
  std::coroutine_handle<> awaiter_;
  class Engine* engine_ = nullptr;  // while submitted
  bool counted_reuse_ = false;
};

/// Continue: several token sets after one branch, advanced together.
class GenerateOperation : public Operation {
 public:
  GenerateOperation(const Vocabulary& vocabulary, Branch branch, std::vector<Draw> draws,
                    Until until, Call call);

  void AppendDemands(std::vector<TokenNode*>& nodes) const override;
  void Deliver(size_t index, TokenSampler& sampler) override;
  void EndRound() override;
  bool finished() const override { return running_.empty(); }
  bool WorthKeeping(size_t /*index*/) const override { return first_round_; }

  std::vector<TokenSet> TakeSets();

 private:
  struct Stream {
    Draw draw;
    RandomStream random;
    TokenSet set;
    std::vector<TokenId> recent;  // for the repetition penalty
    bool finished = false;
  };

  void Accept(Stream& stream, const SampledToken& sampled);
  bool CutAtStopString(TokenSet& set, size_t old_size) const;

  const Vocabulary& vocabulary_;
  Until until_;
  std::vector<Stream> streams_;
  std::vector<size_t> running_;  // indices of unfinished streams
  bool any_delivered_ = false;
  bool first_round_ = true;  // nothing but the branch's own logits has been asked for
};

/// TopTokens.
class TopTokensOperation : public Operation {
 public:
  TopTokensOperation(Branch branch, int k, Call call)
      : Operation(std::move(call)), branch_(std::move(branch)), k_(k) {}
  void AppendDemands(std::vector<TokenNode*>& nodes) const override;
  void Deliver(size_t index, TokenSampler& sampler) override;
  bool finished() const override { return finished_; }
  bool WorthKeeping(size_t /*index*/) const override { return true; }
  const std::vector<std::pair<TokenId, double>>& top() const { return top_; }

 private:
  Branch branch_;
  int k_;
  bool finished_ = false;
  std::vector<std::pair<TokenId, double>> top_;
};

/// The log-probabilities of given next tokens at given nodes: Choose and LogProb.
class LogProbOperation : public Operation {
 public:
  struct Question {
    Branch branch;
    std::vector<TokenId> next;
  };
  LogProbOperation(std::vector<Question> questions, Call call);
  void AppendDemands(std::vector<TokenNode*>& nodes) const override;
  void Deliver(size_t index, TokenSampler& sampler) override;
  void EndRound() override;
  bool finished() const override { return open_.empty(); }
  /// [question][token], nats.
  std::vector<std::vector<double>> TakeAnswers() { return std::move(answers_); }

 private:
  std::vector<Question> questions_;
  std::vector<std::vector<double>> answers_;
  std::vector<size_t> open_;  // questions without an answer
};

}  // namespace plumbline::llama
