#include "plumbline/model/llama/engine.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "plumbline/core/check.h"

namespace plumbline::llama {
namespace {

/// llama_batch over vectors: tokens with their positions and sequences.
class Batch {
 public:
  explicit Batch(size_t tokens) {
    tokens_.reserve(tokens);
    sequences_.reserve(tokens);
  }
  void Add(llama_token token, llama_pos position, std::vector<int> sequences, bool output) {
    tokens_.push_back(token);
    positions_.push_back(position);
    outputs_.push_back(output ? 1 : 0);
    sequences_.push_back(std::move(sequences));
  }
  /// Valid while this object lives and is not added to.
  llama_batch View() {
    for (std::vector<int>& sequences : sequences_) {
      sequence_counts_.push_back(static_cast<int32_t>(sequences.size()));
      sequence_lists_.push_back(sequences.data());
    }
    llama_batch batch{};
    batch.n_tokens = static_cast<int32_t>(tokens_.size());
    batch.token = tokens_.data();
    batch.pos = positions_.data();
    batch.n_seq_id = sequence_counts_.data();
    batch.seq_id = sequence_lists_.data();
    batch.logits = outputs_.data();
    return batch;
  }

 private:
  std::vector<llama_token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int8_t> outputs_;
  std::vector<std::vector<int>> sequences_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id*> sequence_lists_;
};

ResidencyOptions ToResidencyOptions(const EngineOptions& options) {
  ResidencyOptions residency;
  residency.slots = options.slots;
  // Room for the padding token of deterministic mode.
  residency.cells = options.cells - (options.deterministic ? 1 : 0);
  residency.cold_cells = std::min(1024, options.cells / 4);
  residency.append_only = options.deterministic;
  return residency;
}

constexpr int kNoCells = 1;  // llama_decode's return codes
constexpr int kMaxFailuresInARow = 3;

}  // namespace

Operation::~Operation() {
  if (engine_ != nullptr) engine_->Withdraw(this);
}

Engine::Engine(llama_context* context, const Vocabulary& vocabulary, const EngineOptions& options)
    : context_(context),
      memory_(llama_get_memory(context)),
      options_(options),
      vocabulary_size_(vocabulary.size()),
      tree_(std::make_shared<TokenTree>()),
      residency_(*tree_, *this, ToResidencyOptions(options)),
      logits_(*tree_, options.cached_logits) {}

Engine::~Engine() {
  tree_->OnForgetLogits({});
  for (Operation* operation : active_) operation->engine_ = nullptr;
}

EngineStats Engine::stats() const {
  return {rounds_, tokens_, residency_.evictions(), residency_.cells_used()};
}

void Engine::Copy(int from, int to, int begin, int end) {
  llama_memory_seq_cp(memory_, from, to, begin, end);
}

void Engine::Remove(int slot, int begin) { llama_memory_seq_rm(memory_, slot, begin, -1); }

void Engine::Clear() { llama_memory_clear(memory_, /*data=*/false); }

void Engine::Submit(Operation* operation, std::coroutine_handle<> awaiter) {
  operation->awaiter_ = awaiter;
  operation->engine_ = this;
  if (operation->call_.usage != nullptr) ++operation->call_.usage->calls;
  active_.push_back(operation);
}

void Engine::Withdraw(Operation* operation) {
  std::erase(active_, operation);
  operation->engine_ = nullptr;
}

bool Engine::RunRound() {
  if (active_.empty()) return false;
  StopCancelled();
  std::vector<Demand> demands = CollectDemands();
  if (!demands.empty()) {
    demands = AnswerFromCache(std::move(demands));
    if (!demands.empty()) ReadAndAnswer(demands);
  }
  ResumeFinished();
  return true;
}

void Engine::StopCancelled() {
  for (Operation* operation : active_) {
    if (operation->call_.stop.stop_requested()) {
      operation->Abandon({ErrorCode::kCancelled, "stopped", ""});
    }
  }
}

std::vector<Engine::Demand> Engine::CollectDemands() {
  std::vector<Demand> demands;
  std::vector<TokenNode*> nodes;
  for (Operation* operation : active_) {
    if (!operation->status_.has_value()) continue;
    nodes.clear();
    operation->AppendDemands(nodes);
    for (size_t i = 0; i < nodes.size(); ++i) demands.push_back({operation, i, nodes[i]});
  }
  return demands;
}

// Answers what the logits cache holds; returns the rest.
std::vector<Engine::Demand> Engine::AnswerFromCache(std::vector<Demand> demands) {
  std::vector<Demand> rest;
  const TokenNode* current = nullptr;
  for (const Demand& demand : demands) {
    const std::span<const float> row = logits_.Find(demand.node);
    if (row.empty()) {
      rest.push_back(demand);
      continue;
    }
    if (current != demand.node) sampler_.SetLogits(row);
    current = demand.node;
    demand.operation->Deliver(demand.index, sampler_);
  }
  return rest;
}

void Engine::ReadAndAnswer(const std::vector<Demand>& demands) {
  std::vector<TokenNode*> targets;
  targets.reserve(demands.size());
  for (const Demand& demand : demands) {
    // Rows of logits are bounded; who comes later waits for the next round.
    if (static_cast<int>(targets.size()) == options_.max_outputs) break;
    targets.push_back(demand.node);
  }
  const ReadPlan plan = residency_.Plan(targets, options_.batch_tokens);
  if (plan.too_large) {
    return FailFirst(demands, {ErrorCode::kExhausted,
                               "the context of " + std::to_string(options_.cells) +
                                   " tokens is too small for what is read at once",
                               "raise --ctx, or shorten the prompt"});
  }
  CountReading(demands, plan);
  if (const int32_t code = Decode(plan); code != 0) {
    residency_.Reset();
    if (++failures_ < kMaxFailuresInARow && code == kNoCells) return;
    failures_ = 0;
    return FailFirst(demands,
                     {ErrorCode::kInternal, "llama_decode failed with code " + std::to_string(code),
                      "report this with the model's name and your options"});
  }
  failures_ = 0;
  residency_.Commit(plan);
  Answer(demands, plan);
}

// Puts every token of the plan on the bill of the first operation that needs it.
void Engine::CountReading(const std::vector<Demand>& demands, const ReadPlan& plan) {
  ++rounds_;
  tokens_ += static_cast<int64_t>(plan.tokens.size());
  std::unordered_map<const TokenNode*, bool> planned;
  planned.reserve(plan.tokens.size());
  for (const PlannedToken& token : plan.tokens) planned.emplace(token.node, true);
  const size_t served = plan.answered.size();
  for (size_t i = 0; i < served; ++i) {
    Operation* operation = demands[i].operation;
    Usage* usage = operation->call_.usage;
    if (usage == nullptr) continue;
    for (TokenNode* node = demands[i].node; node->parent != nullptr; node = node->parent) {
      const auto entry = planned.find(node);
      if (entry == planned.end()) {
        if (node->covering == 0) continue;
        if (!operation->counted_reuse_) usage->tokens_reused += node->position + 1;
        break;
      }
      if (!entry->second) break;
      entry->second = false;
      ++usage->tokens_read;
      if (node->was_read) ++usage->tokens_reread;
    }
    operation->counted_reuse_ = true;
  }
}

int32_t Engine::Decode(const ReadPlan& plan) {
  Batch batch(plan.tokens.size() + 1);
  for (const PlannedToken& token : plan.tokens) {
    batch.Add(token.node->token, token.node->position, token.slots, token.output);
  }
  // One row alone takes another path through the kernels than the same row among others, with
  // another rounding: deterministic mode never decodes one alone.
  const int padding = options_.slots + 1;
  const bool pad = options_.deterministic;
  if (pad) batch.Add(plan.tokens.front().node->token, 0, {padding}, true);
  const int32_t code = llama_decode(context_, batch.View());
  if (pad) llama_memory_seq_rm(memory_, padding, -1, -1);
  return code;
}

void Engine::Answer(const std::vector<Demand>& demands, const ReadPlan& plan) {
  std::unordered_map<const TokenNode*, int> row_of;
  for (size_t i = 0; i < plan.tokens.size(); ++i) {
    if (plan.tokens[i].output) row_of.emplace(plan.tokens[i].node, static_cast<int>(i));
  }
  const TokenNode* current = nullptr;
  for (size_t i = 0; i < plan.answered.size(); ++i) {
    if (!plan.answered[i]) continue;
    const Demand& demand = demands[i];
    if (current != demand.node) {
      const float* row = llama_get_logits_ith(context_, row_of.at(demand.node));
      PLUMBLINE_CHECK(row != nullptr);
      const std::span<const float> logits(row, vocabulary_size_);
      sampler_.SetLogits(logits);
      if (demand.operation->WorthKeeping(demand.index)) logits_.Store(demand.node, logits);
      current = demand.node;
    }
    demand.operation->Deliver(demand.index, sampler_);
  }
}

void Engine::FailFirst(const std::vector<Demand>& demands, Error error) {
  demands.front().operation->Abandon(std::move(error));
}

void Engine::ResumeFinished() {
  std::vector<Operation*> finished;
  std::vector<Operation*> still_active;
  for (Operation* operation : active_) {
    operation->EndRound();
    const bool done = operation->finished() || !operation->status_.has_value();
    (done ? finished : still_active).push_back(operation);
  }
  active_ = std::move(still_active);
  for (Operation* operation : finished) operation->engine_ = nullptr;
  // An operation lives in a frame that only its own awaiter's chain destroys, and that chain is
  // suspended here: resuming one can't free another.
  for (Operation* operation : finished) operation->awaiter_.resume();
}

}  // namespace plumbline::llama
