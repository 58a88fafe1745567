#include "plumbline/search/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plumbline/core/random.h"

namespace plumbline {
namespace {

/// A root with children of the given priors.
SearchTree Family(std::vector<double> priors, ValueRange range = ValueRange::kFixed) {
  SearchTree tree(range);
  const NodeId root = tree.StartAt(0);
  for (const double prior : priors) tree.AddChild(root, prior, std::log(prior));
  return tree;
}

void Visit(SearchTree& tree, NodeId child, double value, std::vector<float> embedding = {}) {
  const std::vector<NodeId> path{tree.root(), child};
  std::vector<std::vector<float>> embeddings;
  if (!embedding.empty()) embeddings.push_back(std::move(embedding));
  Backup(tree, path, value, embeddings, {});
}

TEST(SelectChild, FollowsThePriorAtFirst) {
  SearchTree tree = Family({0.2, 0.5, 0.3});
  tree.node(0).n = 1;
  EXPECT_EQ(SelectChild(tree, 0, 2), 2);
  EXPECT_NEAR(ScoreChild(tree, 2, 2).exploration, 2 * 0.5 * 1 / 1, 1e-12);
  EXPECT_EQ(ScoreChild(tree, 2, 2).value, 0);
}

TEST(SelectChild, IsThePublishedFormula) {
  SearchTree tree = Family({0.2, 0.8});
  Visit(tree, 1, 0.5);
  Visit(tree, 1, -0.25);
  Visit(tree, 2, -1);
  const PuctScore score = ScoreChild(tree, 1, 1.5);
  EXPECT_NEAR(score.value, (0.125 + 1) / (2 + 1e-5), 1e-12);
  EXPECT_NEAR(score.exploration, 1.5 * 0.2 * std::sqrt(3.0) / 3, 1e-12);
}

TEST(SelectChild, TiesGoToTheOlder) {
  SearchTree tree = Family({0.5, 0.5});
  tree.node(0).n = 1;
  EXPECT_EQ(SelectChild(tree, 0, 2), 1);
}

TEST(ValueRange, FixedOrAsSeen) {
  SearchTree fixed = Family({0.5, 0.5});
  Visit(fixed, 1, 0.5);
  EXPECT_EQ(fixed.q_min(), -1);
  EXPECT_EQ(fixed.q_max(), 1);
  SearchTree seen = Family({0.5, 0.5}, ValueRange::kSeen);
  Visit(seen, 1, 0.5);
  Visit(seen, 2, 0.25);
  EXPECT_EQ(seen.q_min(), 0.25);
  EXPECT_EQ(seen.q_max(), 0.5);
  EXPECT_NEAR(ScoreChild(seen, 1, 0).value, 0.25 / (0.25 + 1e-5), 1e-12);
}

TEST(Backup, WithoutSimilarityVisitsAreConserved) {
  SearchTree tree(ValueRange::kFixed);
  tree.StartAt(0);
  RandomStream random{RandomKey(4)};
  double sum = 0;
  constexpr int kVisits = 400;
  for (int i = 0; i < kVisits; ++i) {
    std::vector<NodeId> path{tree.root()};
    while (!tree.node(path.back()).children.empty()) {
      path.push_back(SelectChild(tree, path.back(), 2));
    }
    for (int c = 0; c < 3; ++c) tree.AddChild(path.back(), 1.0 / 3, 0);
    const double value = 2 * random.NextUniform() - 1;
    sum += value;
    Backup(tree, path, value, {}, {});
  }
  EXPECT_EQ(tree.node(0).fn, kVisits);
  EXPECT_NEAR(tree.node(0).q, sum / kVisits, 1e-12);
  for (NodeId id = 0; id < tree.size(); ++id) {
    const SearchNode& node = tree.node(id);
    int below = 0;
    for (const NodeId child : node.children) below += tree.node(child).fn;
    // Every visit but the one that found the node a leaf went on to a child.
    EXPECT_EQ(node.fn, node.fn == 0 ? 0 : below + 1);
    EXPECT_EQ(node.n, node.fn);
  }
}

TEST(Backup, SimilarSiblingsGetAFraction) {
  SearchTree tree = Family({0.5, 0.3, 0.2});
  Visit(tree, 1, -1, {1, 0});
  Visit(tree, 2, 0.5, {0, 1});  // At a right angle: nothing shared.
  EXPECT_EQ(tree.node(1).n, 1);
  Visit(tree, 3, 1, {0.1f, 1});
  const double cosine = 1 / std::sqrt(1.01);
  EXPECT_EQ(tree.node(1).n, 1);
  EXPECT_NEAR(tree.node(2).n, 1 + 0.2 * cosine, 1e-6);
  EXPECT_NEAR(tree.node(2).q, (0.5 + 0.2 * cosine) / (1 + 0.2 * cosine), 1e-6);
  EXPECT_EQ(tree.node(2).fn, 1);
  EXPECT_EQ(tree.node(3).n, 1);
}

TEST(Backup, AveragesEmbeddings) {
  SearchTree tree = Family({1});
  Visit(tree, 1, 0, {1, 0});
  Visit(tree, 1, 0, {0, 1});
  Visit(tree, 1, 0, {0, 1});
  EXPECT_NEAR(tree.node(1).embedding[0], 1.0 / 3, 1e-12);
  EXPECT_NEAR(tree.node(1).embedding[1], 2.0 / 3, 1e-12);
}

TEST(LeadingChild, HasTheLargestWeightThenValue) {
  SearchTree tree = Family({0.4, 0.3, 0.3});
  EXPECT_EQ(LeadingChild(tree, 0), 1);
  Visit(tree, 2, -0.5);
  EXPECT_EQ(LeadingChild(tree, 0), 2);
  Visit(tree, 3, 0.5);
  EXPECT_EQ(LeadingChild(tree, 0), 3);
  EXPECT_EQ(LeadingChild(tree, 1), kNoNode);
}

TEST(Descend, KeepsTheSubtree) {
  SearchTree tree = Family({0.5, 0.5});
  const NodeId grandchild = tree.AddChild(1, 1, 0);
  const std::vector<NodeId> path{0, 1, grandchild};
  Backup(tree, path, 1, {}, {});
  tree.Descend(1);
  EXPECT_EQ(tree.root(), 1);
  EXPECT_EQ(tree.node(1).fn, 1);
  EXPECT_EQ(tree.node(grandchild).depth, 2);
}

TEST(DeservesChild, WhenAllSayTheSameBadThing) {
  SearchTree tree = Family({0.5, 0.5});
  const AddOptions options;
  EXPECT_FALSE(DeservesChild(tree, 0, 1, options));  // Not embedded yet.
  Visit(tree, 1, -1, {1, 0.01f});
  Visit(tree, 2, -1, {1, 0.02f});
  EXPECT_TRUE(DeservesChild(tree, 0, 1, options));
  AddOptions full = options;
  full.max_children = 2;
  EXPECT_FALSE(DeservesChild(tree, 0, 1, full));
  Visit(tree, 2, 1, {1, 0.02f});  // q of the second rises to 0: not below 0.
  EXPECT_FALSE(DeservesChild(tree, 0, 1, options));
}

TEST(DeservesChild, VarianceIsComparedWithTheSetLength) {
  SearchTree tree = Family({0.5, 0.5});
  Visit(tree, 1, -1, {1, 0});
  Visit(tree, 2, -1, {1, 0.5f});
  // The unbiased variance of 0 and 0.5 is 0.125.
  EXPECT_FALSE(DeservesChild(tree, 0, 4, {}));
  EXPECT_TRUE(DeservesChild(tree, 0, 5, {}));
}

TEST(Cosine, OfZeroIsZero) {
  const std::vector<double> zero{0, 0};
  const std::vector<double> one{1, 1};
  EXPECT_EQ(Cosine(zero, one), 0);
  EXPECT_NEAR(Cosine(one, one), 1, 1e-12);
}

}  // namespace
}  // namespace plumbline
