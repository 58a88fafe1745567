#include "plumbline/stats/empirical.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

TEST(EmpiricalDistribution, InterpolatesQuantiles) {
  const EmpiricalDistribution distribution({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(distribution.Quantile(0), 1);
  EXPECT_DOUBLE_EQ(distribution.Quantile(0.5), 2.5);
  EXPECT_DOUBLE_EQ(distribution.Quantile(0.25), 1.75);
  EXPECT_DOUBLE_EQ(distribution.Quantile(1), 4);
}

TEST(EmpiricalDistribution, OfOneValueIsThatValue) {
  const EmpiricalDistribution distribution({7});
  EXPECT_DOUBLE_EQ(distribution.Quantile(0.3), 7);
  EXPECT_DOUBLE_EQ(distribution.MidRank(7), 0.5);
}

TEST(EmpiricalDistribution, RanksTiesInTheMiddle) {
  const EmpiricalDistribution distribution({1, 2, 2, 5});
  EXPECT_DOUBLE_EQ(distribution.MidRank(2), 0.5);
  EXPECT_DOUBLE_EQ(distribution.Cdf(2), 0.75);
  EXPECT_DOUBLE_EQ(distribution.MidRank(0), 0);
  EXPECT_DOUBLE_EQ(distribution.Cdf(9), 1);
  EXPECT_DOUBLE_EQ(distribution.MidRank(3), 0.75);
}

}  // namespace
}  // namespace plumbline
