// RAIN's inner loop on a model: one visit selects, adds, evaluates, expands and backs up.
//
// The tree's arithmetic is in search/; here are the awaits. A node's children and its roll-forward
// depend on the node alone (their random streams are derived from its path), so when they are
// computed changes nothing: a leaf is expanded only when a visit goes through it, and leaves that
// are likely to be visited soon are rolled forward and judged ahead, in one batch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plumbline/procedures/procedure.h"
#include "plumbline/procedures/rain_options.h"
#include "plumbline/search/stoppers.h"
#include "plumbline/search/trace.h"
#include "plumbline/search/tree.h"

namespace plumbline {

/// A judged leaf: what was rolled forward from it, and the verdict.
struct LeafEvaluation {
  std::string rolled_text;
  int rolled_tokens = 0;
  double rolled_log_prob = 0;                   ///< Nats, under the model itself.
  FinishReason finish = FinishReason::kLength;  ///< Of the rolled-forward answer.
  Branch end;                                   ///< After the roll-forward.
  Judgement judgement;
};

/// What belongs to a tree node besides its statistics.
struct RainNode {
  Branch branch;     ///< After the token set.
  std::string text;  ///< Of the token set, as the model wrote it.
  std::vector<TokenId> tokens;
  double log_prob = 0;  ///< Of the token set, nats, under the model itself.
  FinishReason finish = FinishReason::kLength;
  bool finished = false;  ///< Nothing may follow: end of text, a stop string, or the limit.
  int answer_tokens = 0;  ///< From the start of the answer to here.
  RandomKey key;          ///< Derived from the texts on the path; see ChildKey.
  int add_attempts = 0;
  std::optional<LeafEvaluation> evaluation;
};

/// Where a search begins.
struct SearchStart {
  Branch branch;
  std::string answer;  ///< Text committed so far, uncut.
  int tokens = 0;      ///< In it.
  int depth = 0;       ///< In token sets.
  RandomKey key;
};

/// The key of a child: by its text, so that neither the order of expansion nor the position among
/// its siblings matters.
RandomKey ChildKey(RandomKey parent, std::string_view text, FinishReason finish);

/// Whether a roll-forward has nothing to do: the text ends with one of , . ? : ; or a newline.
bool EndsWithClauseMark(std::string_view text);

/// One request's searches, one after the other; the trees of all stay for the trace. Executor
/// thread only.
class RainSearch {
 public:
  /// Both outlive the search. `token_limit` bounds the answer.
  RainSearch(const ProcedureInput& input, const RainOptions& options, int token_limit);

  /// Begins below a committed text with a new root.
  void Start(SearchStart start);
  /// Gives the root's evaluation, if it is known already.
  void SetRootEvaluation(LeafEvaluation evaluation);

  /// One visit.
  Task<Status> Visit();
  /// Visits until a stopper fires or `interrupted` says so; at least one visit. Returns the
  /// stopper's name, or "interrupted".
  Task<Result<std::string>> Run(std::vector<Stopper> stoppers, std::function<bool()> interrupted);

  /// Makes a child of the root the root, and mixes its children's priors anew.
  void CommitChild(NodeId child);
  /// Gives the root children, if no visit went through it yet.
  Task<Status> ExpandRoot();

  /// The best judged leaf below the root since Start (ties: the first), kNoNode if there is none.
  NodeId best_leaf() const { return best_leaf_; }
  /// Token sets from below the root to a node, in order.
  std::vector<NodeId> PathTo(NodeId node) const;
  /// The answer's text at a node, uncut.
  std::string AnswerAt(NodeId node) const;

  const SearchTree& tree() const { return tree_; }
  const RainNode& data(NodeId node) const { return nodes_[node]; }
  int visits_since_commit() const { return visits_since_commit_; }
  int total_visits() const { return total_visits_; }
  int inherited_visits() const { return inherited_visits_; }

  /// Adds nodes and visits to a trace.
  void FillTrace(SearchTrace& trace) const;

 private:
  /// The nodes from the root to a leaf, and the children added on the way.
  struct Descent {
    std::vector<NodeId> path;
    std::vector<NodeId> added;
  };

  bool IsLeaf(NodeId node) const;
  Task<Result<Descent>> WalkDown();
  void Note(NodeId leaf, double value);
  Task<Status> Expand(NodeId node);
  Task<Status> ExpandByTopTokens(NodeId node);
  Task<Status> ExpandBySamples(NodeId node, int length);
  Task<Status> AddChild(NodeId node);
  Task<Result<std::vector<TokenSet>>> SampleSets(NodeId node, std::vector<Draw> draws, int length);
  Result<RainNode> OneTokenChild(NodeId parent, const TokenProbability& token);
  RainNode SetChild(NodeId parent, TokenSet set) const;
  /// Sets what follows from the text: key, tokens, whether the answer ends here.
  void Complete(NodeId parent, RainNode& child) const;
  void Adopt(NodeId parent, std::vector<RainNode> children, std::span<const double> log_weights);
  bool HasChild(NodeId parent, const RainNode& child) const;
  int LengthBelow(NodeId node) const;

  std::vector<NodeId> LeavesWith(NodeId leaf) const;
  Task<Status> Evaluate(std::vector<NodeId> leaves);
  Task<Result<LeafEvaluation>> RollForward(NodeId leaf);
  Task<Status> Judge(std::vector<std::string> texts);
  bool Similarity() const;
  std::vector<std::string> PathTexts(std::span<const NodeId> path) const;
  Task<Status> EmbedAhead(std::vector<NodeId> leaves);
  std::vector<std::vector<float>> EmbeddingsOf(std::span<const NodeId> path) const;

  SearchState State() const;
  void Report(NodeId leaf) const;
  std::string JudgedText(NodeId leaf, const LeafEvaluation& evaluation) const;

  const ProcedureInput& input_;
  const RainOptions& options_;
  int token_limit_;
  SearchTree tree_;
  std::vector<RainNode> nodes_;  ///< By NodeId.
  std::string root_answer_;      ///< The answer up to and with the root's token set.
  std::unordered_map<std::string, Judgement> judgements_;           ///< By judged text.
  std::unordered_map<std::string, std::vector<float>> embeddings_;  ///< By text.
  std::vector<TraceVisit> trace_visits_;
  int commits_ = 0;
  int visits_since_commit_ = 0;
  int total_visits_ = 0;
  int inherited_visits_ = 0;
  NodeId best_leaf_ = kNoNode;
};

}  // namespace plumbline
