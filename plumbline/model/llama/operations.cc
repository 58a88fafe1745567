#include "plumbline/model/llama/operations.h"

#include <algorithm>

#include "plumbline/core/check.h"

namespace plumbline::llama {
namespace {

bool EndsClause(std::string_view token_text) {
  return token_text.find_first_of(",.?:;\n") != std::string_view::npos;
}

// The last tokens of the path to a node, oldest first.
std::vector<TokenId> RecentTokens(const TokenNode* node, int count) {
  std::vector<TokenId> recent;
  for (; node->parent != nullptr && static_cast<int>(recent.size()) < count; node = node->parent) {
    recent.push_back(node->token);
  }
  std::reverse(recent.begin(), recent.end());
  return recent;
}

bool Penalises(const Sampling& sampling) {
  return sampling.repetition_penalty != 1.0 && sampling.penalty_window > 0;
}

}  // namespace

const NodeHandle& NodeHandle::Of(const Branch& branch) {
  const auto* handle = dynamic_cast<const NodeHandle*>(branch.state().get());
  PLUMBLINE_CHECK(handle != nullptr);
  return *handle;
}

GenerateOperation::GenerateOperation(const Vocabulary& vocabulary, Branch branch,
                                     std::vector<Draw> draws, Until until, Call call)
    : Operation(std::move(call)), vocabulary_(vocabulary), until_(std::move(until)) {
  streams_.reserve(draws.size());
  for (Draw& draw : draws) {
    running_.push_back(streams_.size());
    Stream& stream = streams_.emplace_back(Stream{draw, RandomStream(draw.key), {}, {}, false});
    stream.set.end = branch;
    if (Penalises(draw.sampling)) {
      stream.recent = RecentTokens(NodeHandle::Of(branch).node(), draw.sampling.penalty_window);
    }
  }
}

void GenerateOperation::AppendDemands(std::vector<TokenNode*>& nodes) const {
  for (const size_t i : running_) nodes.push_back(NodeHandle::Of(streams_[i].set.end).node());
}

void GenerateOperation::Deliver(size_t index, TokenSampler& sampler) {
  Stream& stream = streams_[running_[index]];
  any_delivered_ = true;
  Accept(stream, sampler.Next(stream.draw, stream.recent, stream.random));
}

void GenerateOperation::Accept(Stream& stream, const SampledToken& sampled) {
  TokenSet& set = stream.set;
  if (call().usage != nullptr) ++call().usage->tokens_generated;
  stream.finished = true;
  if (vocabulary_.IsEndOfText(sampled.token)) {
    set.finish = FinishReason::kEndOfText;
    set.end_log_prob = sampled.log_prob;
    set.end_model_log_prob = sampled.model_log_prob;
    return;
  }
  const size_t old_size = set.text.size();
  const std::string& piece = vocabulary_.Piece(sampled.token);
  set.tokens.push_back(sampled.token);
  set.log_probs.push_back(sampled.log_prob);
  set.model_log_probs.push_back(sampled.model_log_prob);
  set.text += piece;
  set.end = NodeHandle::Of(set.end).Child(sampled.token);
  if (Penalises(stream.draw.sampling)) stream.recent.push_back(sampled.token);
  if (CutAtStopString(set, old_size)) {
    set.finish = FinishReason::kStopString;
  } else if (until_.clause && EndsClause(piece)) {
    set.finish = FinishReason::kClause;
  } else if (static_cast<int>(set.tokens.size()) >= until_.max_tokens) {
    set.finish = FinishReason::kLength;
  } else {
    stream.finished = false;
  }
}

bool GenerateOperation::CutAtStopString(TokenSet& set, size_t old_size) const {
  size_t cut = std::string::npos;
  for (const std::string& stop : until_.stop_strings) {
    if (stop.empty()) continue;
    const size_t from = old_size >= stop.size() ? old_size - stop.size() + 1 : 0;
    cut = std::min(cut, set.text.find(stop, from));
  }
  if (cut == std::string::npos) return false;
  set.text.resize(cut);
  return true;
}

void GenerateOperation::EndRound() {
  first_round_ = !any_delivered_;
  std::erase_if(running_, [this](size_t i) { return streams_[i].finished; });
}

std::vector<TokenSet> GenerateOperation::TakeSets() {
  std::vector<TokenSet> sets;
  sets.reserve(streams_.size());
  for (Stream& stream : streams_) sets.push_back(std::move(stream.set));
  return sets;
}

void TopTokensOperation::AppendDemands(std::vector<TokenNode*>& nodes) const {
  if (!finished_) nodes.push_back(NodeHandle::Of(branch_).node());
}

void TopTokensOperation::Deliver(size_t /*index*/, TokenSampler& sampler) {
  std::vector<TokenId> ids;
  const std::span<const TokenId> largest = sampler.Top(k_);
  ids.assign(largest.begin(), largest.end());
  for (const TokenId id : ids) top_.emplace_back(id, sampler.ModelLogProb(id));
  finished_ = true;
}

LogProbOperation::LogProbOperation(std::vector<Question> questions, Call call)
    : Operation(std::move(call)), questions_(std::move(questions)), answers_(questions_.size()) {
  for (size_t i = 0; i < questions_.size(); ++i) open_.push_back(i);
}

void LogProbOperation::AppendDemands(std::vector<TokenNode*>& nodes) const {
  for (const size_t i : open_) nodes.push_back(NodeHandle::Of(questions_[i].branch).node());
}

void LogProbOperation::Deliver(size_t index, TokenSampler& sampler) {
  const size_t question = open_[index];
  for (const TokenId token : questions_[question].next) {
    answers_[question].push_back(sampler.ModelLogProb(token));
  }
}

void LogProbOperation::EndRound() {
  std::erase_if(open_,
                [this](size_t i) { return answers_[i].size() == questions_[i].next.size(); });
}

}  // namespace plumbline::llama
