// The rounds of the embedded model: everything that is awaited, from every branch and request,
// becomes one llama_decode, and whoever is answered is resumed.
#pragma once

#include <llama.h>

#include <memory>
#include <vector>

#include "plumbline/model/llama/logits_cache.h"
#include "plumbline/model/llama/operations.h"
#include "plumbline/model/llama/residency.h"

namespace plumbline::llama {

struct EngineOptions {
  int cells = 4096;
  int slots = 255;
  int batch_tokens = 512;
  int max_outputs = 128;   ///< Rows of logits in one batch.
  int cached_logits = 64;  ///< Rows kept for branch points.
  bool deterministic = false;
};

/// Counters since the engine was made.
struct EngineStats {
  int64_t rounds = 0;
  int64_t tokens = 0;
  int64_t evictions = 0;
  int cells_used = 0;
};

/// Executor thread only. The context must have been made with at least `slots + 2` sequences (one
/// more for what deterministic mode gives up, one for its padding) and must outlive the engine.
class Engine : private KvCache {
 public:
  Engine(llama_context* context, const Vocabulary& vocabulary, const EngineOptions& options);
  ~Engine() override;

  const std::shared_ptr<TokenTree>& tree() const { return tree_; }
  EngineStats stats() const;

  /// One round. Returns whether anything was awaited.
  bool RunRound();

  /// co_await engine.Finish(operation): resumes once it is finished; gives its status.
  auto Finish(Operation& operation) {
    struct Awaiter {
      Engine* engine;
      Operation* operation;
      bool await_ready() const noexcept { return operation->finished(); }
      void await_suspend(std::coroutine_handle<> awaiter) { engine->Submit(operation, awaiter); }
      Status await_resume() const { return operation->status(); }
    };
    return Awaiter{this, &operation};
  }

  /// Called by an operation that is destroyed while submitted.
  void Withdraw(Operation* operation);

 private:
  struct Demand {
    Operation* operation;
    size_t index;  // in the operation's demands of this round
    TokenNode* node;
  };

  void Copy(int from, int to, int begin, int end) override;
  void Remove(int slot, int begin) override;
  void Clear() override;

  void Submit(Operation* operation, std::coroutine_handle<> awaiter);
  void StopCancelled();
  std::vector<Demand> CollectDemands();
  std::vector<Demand> AnswerFromCache(std::vector<Demand> demands);
  void ReadAndAnswer(const std::vector<Demand>& demands);
  void CountReading(const std::vector<Demand>& demands, const ReadPlan& plan);
  int32_t Decode(const ReadPlan& plan);
  void Answer(const std::vector<Demand>& demands, const ReadPlan& plan);
  void FailFirst(const std::vector<Demand>& demands, Error error);
  void ResumeFinished();

  llama_context* context_;
  llama_memory_t memory_;
  EngineOptions options_;
  int vocabulary_size_;
  std::shared_ptr<TokenTree> tree_;
  Residency residency_;
  LogitsCache logits_;
  TokenSampler sampler_;
  std::vector<Operation*> active_;
  int64_t rounds_ = 0;
  int64_t tokens_ = 0;
  int failures_ = 0;  // of llama_decode, in a row
};

}  // namespace plumbline::llama
