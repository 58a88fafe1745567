#include "plumbline/search/stoppers.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

TEST(Stoppers, VisitLimitCountsInheritedVisits) {
  EXPECT_FALSE(VisitLimit(50).fires({.root_visits = 49, .best_leaf = {}}));
  EXPECT_TRUE(VisitLimit(50).fires({.root_visits = 50, .best_leaf = {}}));
}

TEST(Stoppers, ConfidentLeaderNeedsBothValueAndVisits) {
  const Stopper stopper = ConfidentLeader(0.8, 6);
  EXPECT_TRUE(stopper.fires({.leader_visits = 7, .leader_value = 0.81, .best_leaf = {}}));
  EXPECT_FALSE(stopper.fires({.leader_visits = 6, .leader_value = 0.81, .best_leaf = {}}));
  EXPECT_FALSE(stopper.fires({.leader_visits = 7, .leader_value = 0.8, .best_leaf = {}}));
}

TEST(Stoppers, ClearLeafNeedsAJudgedLeaf) {
  EXPECT_FALSE(ClearLeaf(-1).fires({}));
  EXPECT_TRUE(ClearLeaf(0.2).fires({.best_leaf = 0.2}));
  EXPECT_FALSE(ClearLeaf(0.2).fires({.best_leaf = 0.19}));
}

TEST(Stoppers, TheFirstThatFiresGivesItsName) {
  const std::vector<Stopper> stoppers{ClearLeaf(0.5), VisitLimit(10)};
  EXPECT_EQ(FirstToFire(stoppers, {.root_visits = 9, .best_leaf = {}}), std::nullopt);
  EXPECT_EQ(FirstToFire(stoppers, {.root_visits = 10, .best_leaf = {}}), "visits");
  EXPECT_EQ(FirstToFire(stoppers, {.root_visits = 10, .best_leaf = 0.6}), "clear");
  EXPECT_EQ(FirstToFire({}, {.root_visits = 10, .best_leaf = {}}), std::nullopt);
}

TEST(RainVisitLimit, IsThePublishedRule) {
  EXPECT_EQ(RainVisitLimit(0, 50, 15), 50);
  EXPECT_EQ(RainVisitLimit(35, 50, 15), 50);
  EXPECT_EQ(RainVisitLimit(36, 50, 15), 51);
}

}  // namespace
}  // namespace plumbline
