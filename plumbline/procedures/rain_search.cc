#include "plumbline/procedures/rain_search.h"

#include <algorithm>
#include <unordered_set>

#include "plumbline/core/check.h"
#include "plumbline/core/text.h"
#include "plumbline/procedures/answer_writer.h"
#include "plumbline/search/priors.h"

namespace plumbline {

RandomKey ChildKey(RandomKey parent, std::string_view text, FinishReason finish) {
  const bool ends = finish == FinishReason::kEndOfText || finish == FinishReason::kStopString;
  return parent.Derive(text).Derive(ends ? 1 : 0);
}

bool EndsWithClauseMark(std::string_view text) {
  return !text.empty() && std::string_view(",.?:;\n").find(text.back()) != std::string_view::npos;
}

RainSearch::RainSearch(const ProcedureInput& input, const RainOptions& options, int token_limit)
    : input_(input), options_(options), token_limit_(token_limit), tree_(options.value_range) {}

void RainSearch::Start(SearchStart start) {
  const NodeId root = tree_.StartAt(start.depth);
  nodes_.emplace_back();
  PLUMBLINE_CHECK(static_cast<size_t>(root) + 1 == nodes_.size());
  RainNode& node = nodes_.back();
  node.branch = std::move(start.branch);
  node.answer_tokens = start.tokens;
  node.key = start.key;
  root_answer_ = std::move(start.answer);
  visits_since_commit_ = 0;
  inherited_visits_ = 0;
  best_leaf_ = kNoNode;
}

void RainSearch::SetRootEvaluation(LeafEvaluation evaluation) {
  nodes_[tree_.root()].evaluation = std::move(evaluation);
}

bool RainSearch::IsLeaf(NodeId id) const {
  const SearchNode& node = tree_.node(id);
  return node.fn == 0 || nodes_[id].finished || (node.expanded && node.children.empty());
}

Task<Result<RainSearch::Descent>> RainSearch::WalkDown() {
  Descent descent{{tree_.root()}, {}};
  while (!IsLeaf(descent.path.back())) {
    const NodeId node = descent.path.back();
    if (!tree_.node(node).expanded) {
      const Status expanded = co_await Expand(node);
      PLUMBLINE_CO_TRY(expanded);
      if (tree_.node(node).children.empty()) break;
    }
    if (DeservesChild(tree_, node, LengthBelow(node), options_.add)) {
      const NodeId next_id = tree_.size();
      const Status status = co_await AddChild(node);
      PLUMBLINE_CO_TRY(status);
      if (tree_.size() > next_id) descent.added.push_back(next_id);
    }
    descent.path.push_back(SelectChild(tree_, node, options_.c_puct));
  }
  co_return descent;
}

Task<Status> RainSearch::Visit() {
  auto descent = co_await WalkDown();
  PLUMBLINE_CO_TRY(descent);
  const NodeId leaf = descent->path.back();
  std::vector<NodeId> leaves{leaf};
  if (!nodes_[leaf].evaluation) {
    leaves = LeavesWith(leaf);
    const Status evaluated = co_await Evaluate(leaves);
    PLUMBLINE_CO_TRY(evaluated);
  }
  // Not only after evaluating: a leaf judged before may now be reached from another root.
  const Status embedded = co_await EmbedAhead(std::move(leaves));
  PLUMBLINE_CO_TRY(embedded);
  const double value = nodes_[leaf].evaluation->judgement.value;
  Backup(tree_, descent->path, value, EmbeddingsOf(descent->path), options_.sharing);
  Note(leaf, value);
  if (options_.trace) {
    trace_visits_.push_back({commits_, std::move(descent->path), value, std::move(descent->added)});
  }
  co_return Status{};
}

void RainSearch::Note(NodeId leaf, double value) {
  ++visits_since_commit_;
  ++total_visits_;
  const bool better =
      best_leaf_ == kNoNode || value > nodes_[best_leaf_].evaluation->judgement.value;
  if (leaf != tree_.root() && better) best_leaf_ = leaf;
  Report(leaf);
}

Task<Result<std::string>> RainSearch::Run(std::vector<Stopper> stoppers,
                                          std::function<bool()> interrupted) {
  while (true) {
    if (input_.call.stop.stop_requested()) {
      co_return Fail(ErrorCode::kCancelled, "stopped on request");
    }
    const Status visited = co_await Visit();
    PLUMBLINE_CO_TRY(visited);
    if (std::optional<std::string> name = FirstToFire(stoppers, State())) co_return *name;
    if (interrupted()) co_return std::string("interrupted");
  }
}

SearchState RainSearch::State() const {
  SearchState state;
  state.root_visits = tree_.node(tree_.root()).fn;
  if (const NodeId leader = LeadingChild(tree_, tree_.root()); leader != kNoNode) {
    state.leader_visits = tree_.node(leader).fn;
    state.leader_value = tree_.node(leader).q;
  }
  if (best_leaf_ != kNoNode) state.best_leaf = nodes_[best_leaf_].evaluation->judgement.value;
  return state;
}

void RainSearch::CommitChild(NodeId child) {
  root_answer_ += nodes_[child].text;
  tree_.Descend(child);
  ++commits_;
  visits_since_commit_ = 0;
  inherited_visits_ = tree_.node(child).fn;
  best_leaf_ = kNoNode;
  const std::vector<NodeId>& children = tree_.node(child).children;
  std::vector<double> priors;
  for (const NodeId id : children) priors.push_back(tree_.node(id).prior);
  const std::vector<double> mixed = MixUniform(priors, options_.uniform_share);
  for (size_t i = 0; i < children.size(); ++i) tree_.node(children[i]).prior = mixed[i];
}

Task<Status> RainSearch::ExpandRoot() {
  if (tree_.node(tree_.root()).expanded) co_return Status{};
  const Status expanded = co_await Expand(tree_.root());
  co_return expanded;
}

std::vector<NodeId> RainSearch::PathTo(NodeId node) const {
  std::vector<NodeId> path;
  for (; node != tree_.root(); node = tree_.node(node).parent) path.push_back(node);
  std::reverse(path.begin(), path.end());
  return path;
}

std::string RainSearch::AnswerAt(NodeId node) const {
  std::string answer = root_answer_;
  for (const NodeId id : PathTo(node)) answer += nodes_[id].text;
  return answer;
}

void RainSearch::Report(NodeId leaf) const {
  if (input_.observer == nullptr) return;
  const NodeId root = tree_.root();
  const LeafEvaluation& evaluation = *nodes_[leaf].evaluation;
  SearchProgress progress;
  progress.commit = commits_;
  progress.visits = visits_since_commit_;
  progress.visit_limit =
      RainVisitLimit(inherited_visits_, options_.visits, options_.extra_visits) - inherited_visits_;
  progress.nodes = tree_.size() - 1;
  progress.depth = tree_.node(leaf).depth - tree_.node(root).depth;
  if (const NodeId leader = LeadingChild(tree_, root); leader != kNoNode) {
    progress.best_value = tree_.node(leader).q;
    progress.best_text = nodes_[leader].text;
  }
  for (const NodeId id : PathTo(leaf)) progress.rolled_text += nodes_[id].text;
  progress.rolled_text += evaluation.rolled_text;
  progress.last_value = evaluation.judgement.value;
  input_.observer->OnSearch(progress);
}

void RainSearch::FillTrace(SearchTrace& trace) const {
  for (NodeId id = 0; id < tree_.size(); ++id) {
    const SearchNode& node = tree_.node(id);
    const RainNode& data = nodes_[id];
    TraceNode out;
    out.id = id;
    out.parent = node.parent;
    out.depth = node.depth;
    out.text = data.text;
    out.tokens = data.tokens;
    out.prior = node.prior;
    out.n = node.n;
    out.fn = node.fn;
    out.q = node.q;
    out.expanded = node.expanded;
    out.finished = data.finished;
    if (data.evaluation) {
      out.evaluation =
          TraceEvaluation{data.evaluation->rolled_text, data.evaluation->judgement.value,
                          data.evaluation->judgement.good_probabilities};
    }
    trace.nodes.push_back(std::move(out));
  }
  trace.visits = trace_visits_;
}

}  // namespace plumbline
