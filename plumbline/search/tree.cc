#include "plumbline/search/tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

constexpr double kRangeEpsilon = 1e-5;

void AverageIn(std::span<const float> embedding, SearchNode& node) {
  if (node.embedding.empty()) {
    node.embedding.assign(embedding.begin(), embedding.end());
    return;
  }
  PLUMBLINE_CHECK(node.embedding.size() == embedding.size());
  for (size_t i = 0; i < embedding.size(); ++i) {
    node.embedding[i] += (double{embedding[i]} - node.embedding[i]) / node.fn;
  }
}

void ShareWithSiblings(SearchTree& tree, NodeId id, double value,
                       const SimilarityOptions& options) {
  const SearchNode& node = tree.node(id);
  for (const NodeId other : tree.node(node.parent).children) {
    SearchNode& sibling = tree.node(other);
    if (other == id || sibling.embedding.empty()) continue;
    const double cosine = Cosine(node.embedding, sibling.embedding);
    if (cosine < options.threshold) continue;
    const double weight = options.weight * cosine;
    sibling.n += weight;
    sibling.q += weight * (value - sibling.q) / sibling.n;
  }
}

}  // namespace

SearchTree::SearchTree(ValueRange range)
    : q_min_(range == ValueRange::kFixed ? -1 : std::numeric_limits<double>::infinity()),
      q_max_(range == ValueRange::kFixed ? 1 : -std::numeric_limits<double>::infinity()) {}

NodeId SearchTree::StartAt(int depth) {
  nodes_.push_back({});
  nodes_.back().depth = depth;
  return root_ = static_cast<NodeId>(nodes_.size() - 1);
}

NodeId SearchTree::AddChild(NodeId parent, double prior, double log_weight) {
  const auto id = static_cast<NodeId>(nodes_.size());
  SearchNode child;
  child.parent = parent;
  child.depth = nodes_[parent].depth + 1;
  child.prior = prior;
  child.log_weight = log_weight;
  nodes_.push_back(std::move(child));
  nodes_[parent].children.push_back(id);
  return id;
}

void SearchTree::Descend(NodeId child) {
  PLUMBLINE_CHECK(nodes_[child].parent == root_);
  root_ = child;
}

void SearchTree::NoteValue(double q) {
  q_min_ = std::min(q_min_, q);
  q_max_ = std::max(q_max_, q);
}

PuctScore ScoreChild(const SearchTree& tree, NodeId child, double c_puct) {
  const SearchNode& node = tree.node(child);
  PuctScore score;
  if (node.n > 0) {
    score.value = (node.q - tree.q_min()) / (tree.q_max() - tree.q_min() + kRangeEpsilon);
  }
  score.exploration = c_puct * node.prior * std::sqrt(tree.node(node.parent).n) / (1 + node.n);
  return score;
}

NodeId SelectChild(const SearchTree& tree, NodeId parent, double c_puct) {
  const std::vector<NodeId>& children = tree.node(parent).children;
  PLUMBLINE_CHECK(!children.empty());
  NodeId best = kNoNode;
  double best_score = -std::numeric_limits<double>::infinity();
  for (const NodeId child : children) {
    const double score = ScoreChild(tree, child, c_puct).total();
    if (score > best_score) {
      best = child;
      best_score = score;
    }
  }
  PLUMBLINE_CHECK(best != kNoNode);
  return best;
}

NodeId LeadingChild(const SearchTree& tree, NodeId parent) {
  NodeId best = kNoNode;
  for (const NodeId child : tree.node(parent).children) {
    const SearchNode& node = tree.node(child);
    if (best == kNoNode || node.n > tree.node(best).n ||
        (node.n == tree.node(best).n && node.q > tree.node(best).q)) {
      best = child;
    }
  }
  return best;
}

void Backup(SearchTree& tree, std::span<const NodeId> path, double value,
            std::span<const std::vector<float>> embeddings, const SimilarityOptions& options) {
  PLUMBLINE_CHECK(embeddings.empty() || embeddings.size() + 1 == path.size());
  for (size_t i = path.size(); i-- > 0;) {
    const NodeId id = path[i];
    SearchNode& node = tree.node(id);
    node.n += 1;
    node.fn += 1;
    node.q += (value - node.q) / node.n;
    if (id == tree.root()) continue;
    tree.NoteValue(node.q);
    if (embeddings.empty() || embeddings[i - 1].empty()) continue;
    AverageIn(embeddings[i - 1], node);
    ShareWithSiblings(tree, id, value, options);
  }
}

bool DeservesChild(const SearchTree& tree, NodeId parent, int set_length,
                   const AddOptions& options) {
  const std::vector<NodeId>& children = tree.node(parent).children;
  const auto count = static_cast<double>(children.size());
  if (children.size() < 2 || count >= options.max_children) return false;
  for (const NodeId child : children) {
    if (tree.node(child).embedding.empty() || tree.node(child).q >= options.value) return false;
  }
  double squared_norm = 0;
  for (size_t i = 0; i < tree.node(children.front()).embedding.size(); ++i) {
    double mean = 0;
    for (const NodeId child : children) mean += tree.node(child).embedding[i] / count;
    double variance = 0;
    for (const NodeId child : children) {
      const double difference = tree.node(child).embedding[i] - mean;
      variance += difference * difference / (count - 1);
    }
    squared_norm += variance * variance;
  }
  return std::sqrt(squared_norm) < options.variance * set_length;
}

double Cosine(std::span<const double> a, std::span<const double> b) {
  PLUMBLINE_CHECK(a.size() == b.size());
  double dot = 0;
  double norm_a = 0;
  double norm_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += a[i] * b[i];
    norm_a += a[i] * a[i];
    norm_b += b[i] * b[i];
  }
  return norm_a > 0 && norm_b > 0 ? dot / std::sqrt(norm_a * norm_b) : 0;
}

}  // namespace plumbline
