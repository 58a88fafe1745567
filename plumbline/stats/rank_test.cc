#include "plumbline/stats/rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace plumbline {
namespace {

// Pair by pair, as the definition says.
double PairwiseAuc(const std::vector<double>& positives, const std::vector<double>& negatives) {
  double wins = 0;
  for (const double p : positives) {
    for (const double n : negatives) wins += p > n ? 1 : p == n ? 0.5 : 0;
  }
  return wins / (positives.size() * negatives.size());
}

// Hanley and McNeil's variance in their own terms.
double VarianceByDefinition(double area, double m, double n) {
  const double q1 = area / (2 - area);
  const double q2 = 2 * area * area / (1 + area);
  const double others = (m + n) / 2 - 1;
  return (area * (1 - area) + others * (q1 - area * area) + others * (q2 - area * area)) / (m * n);
}

TEST(Auc, CountsTiesHalf) {
  const std::vector<double> positives = {1, 2, 2};
  const std::vector<double> negatives = {2, 0};
  EXPECT_DOUBLE_EQ(Auc(positives, negatives), 4.0 / 6);
}

TEST(Auc, IsThePairwiseProbability) {
  RandomStream random(RandomKey(1));
  for (int round = 0; round < 50; ++round) {
    std::vector<double> positives(1 + random.NextBelow(20));
    std::vector<double> negatives(1 + random.NextBelow(20));
    for (double& value : positives) value = random.NextBelow(8);
    for (double& value : negatives) value = random.NextBelow(8);
    EXPECT_NEAR(Auc(positives, negatives), PairwiseAuc(positives, negatives), 1e-12);
    EXPECT_NEAR(Auc(positives, negatives), 1 - Auc(negatives, positives), 1e-12);
  }
}

TEST(AucInterval, EndsWhereTheEstimateIsZDeviationsAway) {
  const std::vector<double> positives = {0.9, 0.8, 0.7, 0.35, 0.6};
  const std::vector<double> negatives = {0.1, 0.2, 0.4, 0.65};
  const Interval interval = AucInterval(positives, negatives, 0.95);
  EXPECT_DOUBLE_EQ(interval.estimate, 17.0 / 20);
  for (const double limit : {interval.low, interval.high}) {
    const double deviation = std::sqrt(VarianceByDefinition(limit, 5, 4));
    EXPECT_NEAR(std::abs(limit - interval.estimate) / deviation, 1.959963984540054, 1e-6);
  }
}

TEST(AucInterval, IsNoPointWhenTheGroupsAreApart) {
  const std::vector<double> high = {3, 4, 5};
  const std::vector<double> low = {0, 1, 2};
  const Interval apart = AucInterval(high, low, 0.95);
  EXPECT_DOUBLE_EQ(apart.estimate, 1);
  EXPECT_DOUBLE_EQ(apart.high, 1);
  EXPECT_LT(apart.low, 0.75);
  const Interval swapped = AucInterval(low, high, 0.95);
  EXPECT_NEAR(swapped.high, 1 - apart.low, 1e-9);
}

TEST(AucInterval, CoversTheTruthAboutAsOftenAsItSays) {
  RandomStream random(RandomKey(7));
  int covered = 0;
  constexpr int kRounds = 400;
  for (int round = 0; round < kRounds; ++round) {
    // Positives are the larger of two uniforms: their true area against one uniform is 2/3.
    std::vector<double> positives(15);
    std::vector<double> negatives(20);
    for (double& value : positives) value = std::max(random.NextUniform(), random.NextUniform());
    for (double& value : negatives) value = random.NextUniform();
    const Interval interval = AucInterval(positives, negatives, 0.9);
    covered += interval.low <= 2.0 / 3 && 2.0 / 3 <= interval.high;
  }
  EXPECT_GT(covered, 0.85 * kRounds);
  EXPECT_LT(covered, 0.97 * kRounds);
}

}  // namespace
}  // namespace plumbline
