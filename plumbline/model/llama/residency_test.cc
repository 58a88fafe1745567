#include "plumbline/model/llama/residency.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "plumbline/core/random.h"

namespace plumbline::llama {
namespace {

/// A cache that knows what every cell holds, and refuses what llama.cpp would refuse.
class SimulatedCache : public KvCache {
 public:
  struct Cell {
    TokenId token = -1;
    int position = -1;
    std::set<int> owners;
  };

  void Copy(int from, int to, int begin, int end) override {
    for (Cell& cell : cells) {
      if (cell.position >= begin && cell.position < end && cell.owners.contains(from)) {
        cell.owners.insert(to);
      }
    }
  }
  void Remove(int slot, int begin) override {
    for (Cell& cell : cells) {
      if (cell.position >= begin) cell.owners.erase(slot);
    }
    std::erase_if(cells, [](const Cell& cell) { return cell.owners.empty(); });
  }
  void Clear() override { cells.clear(); }

  /// What a token of this slot at this position would attend to.
  std::map<int, TokenId> Visible(int slot, int position) const {
    std::map<int, TokenId> visible;
    for (const Cell& cell : cells) {
      if (cell.position > position || !cell.owners.contains(slot)) continue;
      EXPECT_FALSE(visible.contains(cell.position)) << "two cells for one position of a sequence";
      visible[cell.position] = cell.token;
    }
    return visible;
  }

  void Decode(const ReadPlan& plan) {
    for (const PlannedToken& token : plan.tokens) {
      ASSERT_FALSE(token.slots.empty());
      cells.push_back({token.node->token, token.node->position,
                       std::set<int>(token.slots.begin(), token.slots.end())});
      for (const int slot : token.slots) {
        EXPECT_EQ(Visible(slot, token.node->position), PathOf(token.node));
      }
    }
  }

  static std::map<int, TokenId> PathOf(const TokenNode* node) {
    std::map<int, TokenId> path;
    for (; node->parent != nullptr; node = node->parent) path[node->position] = node->token;
    return path;
  }

  std::vector<Cell> cells;
};

class ResidencyTest : public ::testing::Test {
 protected:
  void Make(const ResidencyOptions& options) {
    options_ = options;
    residency_ = std::make_unique<Residency>(tree_, cache_, options);
  }
  TokenNode* Path(TokenNode* from, const std::vector<TokenId>& tokens) {
    for (const TokenId token : tokens) from = tree_.Child(from, token);
    return from;
  }
  /// Reads until every target is answered; returns how many tokens went through the model.
  int ReadAll(std::vector<TokenNode*> targets, int max_tokens = 1000) {
    int read = 0;
    while (!targets.empty()) {
      const ReadPlan plan = residency_->Plan(targets, max_tokens);
      EXPECT_FALSE(plan.too_large);
      EXPECT_LE(static_cast<int>(plan.tokens.size()), max_tokens);
      if (plan.too_large || plan.tokens.empty()) return -1;
      cache_.Decode(plan);
      residency_->Commit(plan);
      EXPECT_LE(static_cast<int>(cache_.cells.size()), options_.cells);
      read += static_cast<int>(plan.tokens.size());
      std::vector<TokenNode*> rest;
      for (size_t i = 0; i < targets.size(); ++i) {
        if (!plan.answered[i]) rest.push_back(targets[i]);
      }
      targets = rest;
    }
    return read;
  }

  TokenTree tree_;
  SimulatedCache cache_;
  ResidencyOptions options_;
  std::unique_ptr<Residency> residency_;
};

TEST_F(ResidencyTest, SharedPrefixIsReadOnce) {
  Make({.slots = 8, .cells = 100});
  TokenNode* prefix = Path(tree_.root(), {1, 2, 3, 4});
  TokenNode* left = Path(prefix, {5, 6});
  TokenNode* right = Path(prefix, {7, 8, 9});
  tree_.Hold(left);
  tree_.Hold(right);
  EXPECT_EQ(ReadAll({left, right}), 4 + 2 + 3);
  TokenNode* third = Path(left, {10});
  tree_.Hold(third);
  EXPECT_EQ(ReadAll({third}), 1);
}

TEST_F(ResidencyTest, LogitsOfAResidentNodeCostOneToken) {
  Make({.slots = 8, .cells = 100});
  TokenNode* tip = Path(tree_.root(), {1, 2, 3});
  tree_.Hold(tip);
  EXPECT_EQ(ReadAll({tip}), 3);
  EXPECT_EQ(ReadAll({tip}), 1);
  TokenNode* child = Path(tip, {4});
  tree_.Hold(child);
  EXPECT_EQ(ReadAll({child}), 1);
  EXPECT_EQ(ReadAll({tip}), 1);  // An inner node now: read beside itself.
  EXPECT_EQ(ReadAll({child}), 1);
}

TEST_F(ResidencyTest, ManyChildrenOfOneNodeGoTogether) {
  Make({.slots = 32, .cells = 200});
  TokenNode* prefix = Path(tree_.root(), {1, 2, 3});
  std::vector<TokenNode*> children;
  for (int i = 0; i < 10; ++i) {
    children.push_back(Path(prefix, {100 + i}));
    tree_.Hold(children.back());
  }
  const ReadPlan plan = residency_->Plan(children, 1000);
  EXPECT_EQ(plan.tokens.size(), 13u);
  EXPECT_EQ(plan.tokens.front().slots.size(), 10u);
}

TEST_F(ResidencyTest, LongPathsAreReadInParts) {
  Make({.slots = 8, .cells = 100});
  std::vector<TokenId> tokens(50);
  for (int i = 0; i < 50; ++i) tokens[i] = i;
  TokenNode* tip = Path(tree_.root(), tokens);
  tree_.Hold(tip);
  EXPECT_EQ(ReadAll({tip}, 16), 50);
}

TEST_F(ResidencyTest, APathLargerThanTheCacheIsSaidSo) {
  Make({.slots = 8, .cells = 10});
  std::vector<TokenId> tokens(11, 3);
  TokenNode* tip = Path(tree_.root(), tokens);
  tree_.Hold(tip);
  EXPECT_TRUE(residency_->Plan(std::vector<TokenNode*>{tip}, 100).too_large);
}

TEST_F(ResidencyTest, WhatNobodyHoldsGoesFirst) {
  Make({.slots = 8, .cells = 24, .cold_cells = 24});
  TokenNode* kept = Path(tree_.root(), {1, 1, 1, 1, 1, 1, 1, 1});
  TokenNode* dropped = Path(tree_.root(), {2, 2, 2, 2, 2, 2, 2, 2});
  tree_.Hold(kept);
  tree_.Hold(dropped);
  EXPECT_EQ(ReadAll({kept}), 8);
  EXPECT_EQ(ReadAll({dropped}), 8);  // More recent, but:
  tree_.Release(dropped);
  TokenNode* fresh = Path(tree_.root(), {3, 3, 3, 3, 3, 3, 3, 3, 3, 3});
  tree_.Hold(fresh);
  EXPECT_EQ(ReadAll({fresh}), 10);
  EXPECT_EQ(Residency::ResidentLength(kept), 8);
  EXPECT_EQ(residency_->evictions(), 0);
}

/// Random forks, rewinds, drops and reads; the simulated cache checks that every token read sees
/// exactly its own path, and never more cells than there are.
void Churn(TokenTree& tree, uint64_t seed,
           const std::function<int(std::vector<TokenNode*>, int)>& read_all) {
  RandomStream random(RandomKey(seed).Derive("churn"));
  std::vector<TokenNode*> held;
  const auto hold = [&](TokenNode* node) {
    tree.Hold(node);
    held.push_back(node);
  };
  hold(tree.Child(tree.root(), 0));
  for (int step = 0; step < 300; ++step) {
    TokenNode* at = held[random.NextBelow(held.size())];
    const uint64_t action = random.NextBelow(4);
    if (action == 0 && held.size() > 3) {
      const size_t victim = random.NextBelow(held.size());
      tree.Release(held[victim]);
      held.erase(held.begin() + static_cast<ptrdiff_t>(victim));
      continue;
    }
    const uint64_t length = random.NextBelow(5);
    for (uint64_t i = 0; i < length && at->position < 25; ++i) {
      at = tree.Child(at, static_cast<TokenId>(random.NextBelow(3)));
    }
    hold(at);
    std::vector<TokenNode*> targets{at};
    while (random.NextBelow(3) != 0) targets.push_back(held[random.NextBelow(held.size())]);
    ASSERT_GE(read_all(targets, 1 + static_cast<int>(random.NextBelow(40))), 0);
  }
  for (TokenNode* node : held) tree.Release(node);
}

class ResidencyChurn : public ResidencyTest, public ::testing::WithParamInterface<uint64_t> {};

TEST_P(ResidencyChurn, EveryTokenSeesItsOwnPath) {
  RandomStream random(RandomKey(GetParam()).Derive("options"));
  ResidencyOptions options;
  options.slots = 4 + static_cast<int>(random.NextBelow(12));
  options.cells = 40 + static_cast<int>(random.NextBelow(100));
  options.cold_cells = static_cast<int>(random.NextBelow(options.cells));
  Make(options);
  Churn(tree_, GetParam(),
        [&](std::vector<TokenNode*> targets, int max) { return ReadAll(targets, max); });
  residency_->Reset();
  EXPECT_EQ(tree_.size(), 0u);
}

TEST_P(ResidencyChurn, AppendOnlyNeverFreesACell) {
  RandomStream random(RandomKey(GetParam()).Derive("append"));
  ResidencyOptions options;
  options.slots = 4 + static_cast<int>(random.NextBelow(12));
  options.cells = 60 + static_cast<int>(random.NextBelow(100));
  options.append_only = true;
  Make(options);
  size_t before = 0;
  Churn(tree_, GetParam(), [&](std::vector<TokenNode*> targets, int max) {
    const int read = ReadAll(targets, max);
    // Cells only grow in number, but for a Clear, which leaves none of the old ones.
    const size_t now = cache_.cells.size();
    EXPECT_TRUE(now >= before || static_cast<int>(now) <= read);
    EXPECT_EQ(static_cast<int>(now), residency_->cells_used());
    before = now;
    return read;
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, ResidencyChurn, ::testing::Range<uint64_t>(0, 40));

}  // namespace
}  // namespace plumbline::llama
