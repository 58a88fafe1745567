// RainSearch: what leaves are worth.
#include <algorithm>
#include <limits>
#include <numeric>

#include "plumbline/core/check.h"
#include "plumbline/core/text.h"
#include "plumbline/procedures/answer_writer.h"
#include "plumbline/procedures/rain_search.h"

namespace plumbline {

std::vector<NodeId> RainSearch::LeavesWith(NodeId leaf) const {
  std::vector<NodeId> leaves{leaf};
  const NodeId parent = tree_.node(leaf).parent;
  if (leaf == tree_.root() || options_.speculate == 1) return leaves;
  // Siblings, in the order in which selection would take them if nothing changed.
  std::vector<NodeId> others;
  for (const NodeId id : tree_.node(parent).children) {
    if (id != leaf && !nodes_[id].evaluation) others.push_back(id);
  }
  std::ranges::stable_sort(others, std::ranges::greater{}, [this](NodeId id) {
    return ScoreChild(tree_, id, options_.c_puct).total();
  });
  const size_t count = std::min<size_t>(others.size(), options_.speculate - 1);
  leaves.insert(leaves.end(), others.begin(), others.begin() + count);
  return leaves;
}

Task<Result<LeafEvaluation>> RainSearch::RollForward(NodeId leaf) {
  LeafEvaluation result;
  const RainNode& node = nodes_[leaf];
  result.end = node.branch;
  result.finish = node.finish;
  const std::string answer = AnswerAt(leaf);
  if (node.finished || (options_.roll_to_clause && EndsWithClauseMark(answer))) co_return result;
  const int left = token_limit_ - node.answer_tokens;
  Until until;
  until.max_tokens = options_.roll_tokens > 0 ? std::min(options_.roll_tokens, left) : left;
  until.clause = options_.roll_to_clause;
  until.stop_strings = input_.limits.stop_strings;
  const Draw draw{.sampling = options_.roll_by_request ? input_.sampling : Sampling{},
                  .key = node.key.Derive("roll")};
  auto set = co_await ContinueOne(*input_.model, node.branch, draw, std::move(until), input_.call);
  if (!set) co_return FailWith(set);
  result.rolled_tokens = static_cast<int>(set->tokens.size());
  result.rolled_log_prob =
      std::accumulate(set->model_log_probs.begin(), set->model_log_probs.end(), 0.0) +
      (set->finish == FinishReason::kEndOfText ? set->end_model_log_prob : 0.0);
  result.finish = set->finish;
  result.rolled_text = std::move(set->text);
  result.end = std::move(set->end);
  co_return result;
}

std::string RainSearch::JudgedText(NodeId leaf, const LeafEvaluation& evaluation) const {
  const std::string whole = AnswerAt(leaf) + evaluation.rolled_text;
  const std::string_view cut = CutAtStop(whole, input_.limits.stop_strings);
  return std::string(cut.substr(0, CompleteUtf8Prefix(cut)));
}

Task<Status> RainSearch::Evaluate(std::vector<NodeId> leaves) {
  std::vector<Task<Result<LeafEvaluation>>> rolls;
  for (const NodeId leaf : leaves) rolls.push_back(RollForward(leaf));
  auto rolled = co_await WhenAll(std::move(rolls));
  std::vector<std::string> texts;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (!rolled[i]) co_return FailWith(rolled[i]);
    texts.push_back(JudgedText(leaves[i], *rolled[i]));
  }
  const Status judged = co_await Judge(texts);
  PLUMBLINE_CO_TRY(judged);
  for (size_t i = 0; i < leaves.size(); ++i) {
    rolled[i]->judgement = judgements_.at(texts[i]);
    nodes_[leaves[i]].evaluation = std::move(*rolled[i]);
  }
  co_return Status{};
}

Task<Status> RainSearch::Judge(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  const auto repeated = std::ranges::unique(texts);
  texts.erase(repeated.begin(), repeated.end());
  std::erase_if(texts, [this](const std::string& text) { return judgements_.contains(text); });
  if (texts.empty()) co_return Status{};
  auto judged = co_await input_.scorer->Score(input_.dialogue, texts, input_.call);
  if (!judged) co_return FailWith(judged);
  PLUMBLINE_CHECK(judged->size() == texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    judgements_.emplace(std::move(texts[i]), std::move((*judged)[i]));
  }
  co_return Status{};
}

bool RainSearch::Similarity() const {
  switch (options_.similarity) {
    case SimilarityUse::kOff:
      return false;
    case SimilarityUse::kAlways:
      return true;
    case SimilarityUse::kWithEmbedder:
      return input_.embedder != nullptr;
  }
  PLUMBLINE_CHECK(false);
  return false;
}

std::vector<std::string> RainSearch::PathTexts(std::span<const NodeId> path) const {
  std::vector<std::string> texts(path.size());
  std::string text = nodes_[path.back()].evaluation->rolled_text;
  for (size_t i = path.size(); i-- > 0;) {
    text.insert(0, nodes_[path[i]].text);
    texts[i] = ToValidUtf8(text);
  }
  return texts;
}

Task<Status> RainSearch::EmbedAhead(std::vector<NodeId> leaves) {
  if (!Similarity()) co_return Status{};
  std::vector<std::string> texts;
  for (const NodeId leaf : leaves) {
    const std::vector<NodeId> path = PathTo(leaf);
    if (path.empty()) continue;
    for (std::string& text : PathTexts(path)) {
      const bool wanted = !text.empty() && !embeddings_.contains(text);
      if (wanted && std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
    }
  }
  if (texts.empty()) co_return Status{};
  LanguageModel* const embedder = input_.embedder != nullptr ? input_.embedder : input_.model;
  auto embedded = co_await embedder->Embed(texts, input_.call);
  if (!embedded) co_return FailWith(embedded);
  for (size_t i = 0; i < texts.size(); ++i) {
    embeddings_.emplace(std::move(texts[i]), std::move((*embedded)[i]));
  }
  co_return Status{};
}

std::vector<std::vector<float>> RainSearch::EmbeddingsOf(std::span<const NodeId> path) const {
  if (path.size() == 1 || !Similarity()) return {};
  std::vector<std::vector<float>> embeddings;
  for (const std::string& text : PathTexts(path.subspan(1))) {
    embeddings.push_back(text.empty() ? std::vector<float>{} : embeddings_.at(text));
  }
  return embeddings;
}

}  // namespace plumbline
