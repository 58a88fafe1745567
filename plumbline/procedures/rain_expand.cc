// RainSearch: where children come from.
#include <algorithm>
#include <numeric>

#include "plumbline/core/check.h"
#include "plumbline/procedures/answer_writer.h"
#include "plumbline/procedures/rain_search.h"
#include "plumbline/search/priors.h"

namespace plumbline {
namespace {

Sampling SetSampling(const RainOptions& options) {
  Sampling sampling;
  sampling.top_k = options.sample_top_k;
  return sampling;
}

}  // namespace

int RainSearch::LengthBelow(NodeId node) const {
  return std::min(SetLength(options_, tree_.node(node).depth),
                  token_limit_ - nodes_[node].answer_tokens);
}

Task<Status> RainSearch::Expand(NodeId node) {
  const int length = LengthBelow(node);
  PLUMBLINE_CHECK(length >= 1);
  tree_.node(node).expanded = true;
  return length == 1 ? ExpandByTopTokens(node) : ExpandBySamples(node, length);
}

Task<Status> RainSearch::ExpandByTopTokens(NodeId node) {
  auto top =
      co_await input_.model->TopTokens(nodes_[node].branch, options_.top_tokens, input_.call);
  if (!top) co_return FailWith(top);
  std::vector<RainNode> children;
  std::vector<double> log_weights;
  for (const TokenProbability& token : *top) {
    PLUMBLINE_CO_ASSIGN(RainNode child, OneTokenChild(node, token));
    children.push_back(std::move(child));
    log_weights.push_back(token.log_prob);
  }
  Adopt(node, std::move(children), log_weights);
  co_return Status{};
}

Task<Status> RainSearch::ExpandBySamples(NodeId node, int length) {
  const RandomKey key = nodes_[node].key.Derive("expand");
  std::vector<Draw> draws{{.sampling = SetSampling(options_), .key = key, .greedy = true}};
  for (int i = 0; i < options_.samples; ++i) {
    draws.push_back({.sampling = SetSampling(options_), .key = key.Derive(i)});
  }
  auto sets = co_await SampleSets(node, std::move(draws), length);
  if (!sets) co_return FailWith(sets);
  std::vector<RainNode> children;
  std::vector<double> log_weights;
  for (TokenSet& set : *sets) {
    const double log_weight = set.TotalLogProb();
    RainNode child = SetChild(node, std::move(set));
    const bool known = std::ranges::any_of(children, [&child](const RainNode& other) {
      return other.tokens == child.tokens && other.finish == child.finish;
    });
    if (known) continue;
    children.push_back(std::move(child));
    log_weights.push_back(log_weight);
  }
  log_weights[0] = ClampGreedy(log_weights[0], std::span(log_weights).subspan(1));
  Adopt(node, std::move(children), log_weights);
  co_return Status{};
}

Task<Result<std::vector<TokenSet>>> RainSearch::SampleSets(NodeId node, std::vector<Draw> draws,
                                                           int length) {
  Until until;
  until.max_tokens = length;
  until.stop_strings = input_.limits.stop_strings;
  return input_.model->Continue(nodes_[node].branch, std::move(draws), std::move(until),
                                input_.call);
}

Task<Status> RainSearch::AddChild(NodeId node) {
  const int length = LengthBelow(node);
  std::vector<RainNode> candidates;
  std::vector<double> log_weights;
  if (length == 1) {
    const int wanted = static_cast<int>(tree_.node(node).children.size()) + 1;
    auto top = co_await input_.model->TopTokens(nodes_[node].branch, wanted, input_.call);
    if (!top) co_return FailWith(top);
    for (const TokenProbability& token : *top) {
      PLUMBLINE_CO_ASSIGN(RainNode child, OneTokenChild(node, token));
      candidates.push_back(std::move(child));
      log_weights.push_back(token.log_prob);
    }
  } else {
    const RandomKey key = nodes_[node].key.Derive("add").Derive(nodes_[node].add_attempts++);
    std::vector<Draw> draws{{.sampling = SetSampling(options_), .key = key}};
    auto sets = co_await SampleSets(node, std::move(draws), length);
    if (!sets) co_return FailWith(sets);
    log_weights.push_back(sets->front().TotalLogProb());
    candidates.push_back(SetChild(node, std::move(sets->front())));
  }
  std::vector<double> others;
  for (const NodeId id : tree_.node(node).children) others.push_back(tree_.node(id).log_weight);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (HasChild(node, candidates[i])) continue;
    double prior = NewcomerShare(others, log_weights[i]);
    if (node == tree_.root()) {
      const auto count = static_cast<double>(others.size() + 1);
      prior = (1 - options_.uniform_share) * prior + options_.uniform_share / count;
    }
    tree_.AddChild(node, prior, log_weights[i]);
    nodes_.push_back(std::move(candidates[i]));
    break;
  }
  co_return Status{};
}

bool RainSearch::HasChild(NodeId parent, const RainNode& child) const {
  return std::ranges::any_of(tree_.node(parent).children, [&](NodeId id) {
    return nodes_[id].tokens == child.tokens && nodes_[id].finish == child.finish;
  });
}

Result<RainNode> RainSearch::OneTokenChild(NodeId parent, const TokenProbability& token) {
  RainNode child;
  child.log_prob = token.log_prob;
  child.branch = nodes_[parent].branch;
  if (token.end_of_text) {
    child.finish = FinishReason::kEndOfText;
  } else {
    child.text = token.text;
    child.tokens = {token.token};
    PLUMBLINE_ASSIGN(child.branch, input_.model->AppendToken(nodes_[parent].branch, token.token));
  }
  Complete(parent, child);
  return child;
}

RainNode RainSearch::SetChild(NodeId parent, TokenSet set) const {
  RainNode child;
  child.log_prob = std::accumulate(set.model_log_probs.begin(), set.model_log_probs.end(), 0.0);
  if (set.finish == FinishReason::kEndOfText) child.log_prob += set.end_model_log_prob;
  child.text = std::move(set.text);
  child.tokens = std::move(set.tokens);
  child.finish = set.finish;
  child.branch = std::move(set.end);
  Complete(parent, child);
  return child;
}

void RainSearch::Complete(NodeId parent, RainNode& child) const {
  const RainNode& above = nodes_[parent];
  child.key = ChildKey(above.key, child.text, child.finish);
  child.answer_tokens = above.answer_tokens + static_cast<int>(child.tokens.size());
  child.finished = child.finish == FinishReason::kEndOfText ||
                   child.finish == FinishReason::kStopString || child.answer_tokens >= token_limit_;
  if (child.finished || input_.limits.stop_strings.empty()) return;
  const std::string before = AnswerAt(parent);
  const std::string answer = before + child.text;
  // A stop string may lie across two token sets: then the model didn't see it whole.
  if (CutAtStop(answer, input_.limits.stop_strings, before.size()).size() < answer.size()) {
    child.finish = FinishReason::kStopString;
    child.finished = true;
  }
}

void RainSearch::Adopt(NodeId parent, std::vector<RainNode> children,
                       std::span<const double> log_weights) {
  std::vector<double> priors = Normalise(log_weights);
  if (parent == tree_.root()) priors = MixUniform(priors, options_.uniform_share);
  for (size_t i = 0; i < children.size(); ++i) {
    tree_.AddChild(parent, priors[i], log_weights[i]);
    nodes_.push_back(std::move(children[i]));
  }
}

}  // namespace plumbline
