// The statistics of a search tree, without any model: nodes in an arena, what one visit does to
// them (select, back up), and how the root moves. RAIN's formulas (Li et al., "RAIN: Your Language
// Models Can Align Themselves without Finetuning", ICLR 2024) and, before them, PUCT (Silver et
// al., "Mastering the game of Go without human knowledge", 2017).
//
// Everything here is a pure function of its arguments: no clock, no randomness, no model. The text
// and the branch of a node belong to whoever searches, under the node's id.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace plumbline {

using NodeId = int32_t;  ///< Index into the arena; ids rise in the order of creation.
inline constexpr NodeId kNoNode = -1;

/// A position reached from its parent by one token set.
struct SearchNode {
  NodeId parent = kNoNode;        ///< kNoNode for a root that began a search.
  int depth = 0;                  ///< Token sets from the start of the answer.
  double prior = 1;               ///< p, share among the siblings at creation, >= 0.
  double log_weight = 0;          ///< ln of what the prior was normalised from; for newcomers.
  double n = 0;                   ///< Visit weight: whole visits and similarity fractions.
  int fn = 0;                     ///< Whole visits.
  double q = 0;                   ///< Mean value, weighted as n counts; in [-1, 1].
  std::vector<double> embedding;  ///< Mean over visits of the rolled-forward texts'; may be empty.
  std::vector<NodeId> children;   ///< In the order of creation.
  bool expanded = false;          ///< Children were asked for (there may be none).
};

/// Where q's range starts, for normalisation in selection.
enum class ValueRange {
  kFixed,  ///< At [-1, 1]; with values in it, it never moves. The reference implementation.
  kSeen,   ///< At the first values that a backup sets; the paper's min-max.
};

/// Nodes and the current root. Not thread-safe.
class SearchTree {
 public:
  explicit SearchTree(ValueRange range);

  /// Begins anew below everything that exists: the new node is the root. The range of q stays.
  NodeId StartAt(int depth);
  /// A new child, with prior and weight as given.
  NodeId AddChild(NodeId parent, double prior, double log_weight);
  /// Makes a child of the root the root; its subtree stays, its siblings are no longer reached.
  void Descend(NodeId child);

  SearchNode& node(NodeId id) { return nodes_[id]; }
  const SearchNode& node(NodeId id) const { return nodes_[id]; }
  NodeId root() const { return root_; }
  int size() const { return static_cast<int>(nodes_.size()); }
  double q_min() const { return q_min_; }
  double q_max() const { return q_max_; }
  void NoteValue(double q);

 private:
  std::vector<SearchNode> nodes_;
  NodeId root_ = kNoNode;
  double q_min_;
  double q_max_;
};

/// c_puct's term and the normalised value of one child.
struct PuctScore {
  double value = 0;        ///< (q - q_min) / (q_max - q_min + 1e-5) if visited, else 0.
  double exploration = 0;  ///< c_puct * p * sqrt(n_parent) / (1 + n).
  double total() const { return value + exploration; }
};

PuctScore ScoreChild(const SearchTree& tree, NodeId child, double c_puct);

/// The child with the largest score (ties: the older). The node must have children.
NodeId SelectChild(const SearchTree& tree, NodeId parent, double c_puct);

/// The child with the largest n (ties: the larger q, then the older); kNoNode without children.
NodeId LeadingChild(const SearchTree& tree, NodeId parent);

/// How a value is shared with siblings that say the same.
struct SimilarityOptions {
  double threshold = 0.95;  ///< Cosine of the mean embeddings, from which on texts count as same.
  double weight = 0.2;      ///< A sibling gets `weight * cosine` of a visit.
};

/// One visit's result for every node on `path` (root first, leaf last): n, fn, q; then similarity.
/// `embeddings[i]` is of the text from path[i + 1]'s token set to the end of what was judged
/// (the root has none); an empty vector, or no vectors at all: no sharing there.
void Backup(SearchTree& tree, std::span<const NodeId> path, double value,
            std::span<const std::vector<float>> embeddings, const SimilarityOptions& options);

/// When a node deserves one more child.
struct AddOptions {
  int max_children = 20;   ///< No more than these; 0 never adds.
  double variance = 0.03;  ///< Times the token-set length: the norm of the per-dimension
                           ///< (unbiased) variance of the children's embeddings, below which
                           ///< they all say the same.
  double value = 0;        ///< The best child's q must be below this.
};

/// Whether all children have been embedded, say the same, and are bad. `set_length` in tokens.
bool DeservesChild(const SearchTree& tree, NodeId parent, int set_length,
                   const AddOptions& options);

/// Cosine of two vectors of one size; 0 if either is zero.
double Cosine(std::span<const double> a, std::span<const double> b);

}  // namespace plumbline
