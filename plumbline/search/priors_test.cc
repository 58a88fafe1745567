#include "plumbline/search/priors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "plumbline/core/random.h"

namespace plumbline {
namespace {

double Sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

TEST(Normalise, SumsToOneAndSurvivesTinyWeights) {
  const std::vector<double> tiny{-2000, -2000 + std::log(3)};
  const std::vector<double> priors = Normalise(tiny);
  EXPECT_NEAR(priors[0], 0.25, 1e-9);
  EXPECT_NEAR(priors[1], 0.75, 1e-9);
  EXPECT_TRUE(Normalise({}).empty());
}

TEST(Normalise, SumsToOneForRandomWeights) {
  RandomStream random{RandomKey(1)};
  for (int round = 0; round < 100; ++round) {
    std::vector<double> weights(1 + random.NextBelow(20));
    for (double& weight : weights) weight = -100 * random.NextUniform();
    const std::vector<double> priors = Normalise(weights);
    EXPECT_NEAR(Sum(priors), 1, 1e-9);
    EXPECT_NEAR(Sum(MixUniform(priors, 0.25)), 1, 1e-9);
  }
}

TEST(ClampGreedy, HoldsTheGreedySetAmongTheSamples) {
  const std::vector<double> samples{std::log(0.1), std::log(0.2), std::log(0.05)};
  EXPECT_NEAR(ClampGreedy(std::log(0.3), samples), std::log(0.3), 1e-12);    // Inside.
  EXPECT_NEAR(ClampGreedy(std::log(0.9), samples), std::log(0.35), 1e-12);   // Their sum.
  EXPECT_NEAR(ClampGreedy(std::log(0.01), samples), std::log(0.25), 1e-12);  // Max + min.
  EXPECT_EQ(ClampGreedy(-3, {}), -3);
  const std::vector<double> one{std::log(0.1)};
  EXPECT_NEAR(ClampGreedy(std::log(0.9), one), std::log(0.2), 1e-12);  // Bounds cross: the lower.
}

TEST(MixUniform, GivesEveryChildAChance) {
  const std::vector<double> priors{1, 0, 0, 0};
  const std::vector<double> mixed = MixUniform(priors, 0.25);
  EXPECT_NEAR(mixed[0], 0.8125, 1e-12);
  EXPECT_NEAR(mixed[3], 0.0625, 1e-12);
  const std::vector<double> unnormalised{1, 1};  // After a newcomer.
  EXPECT_NEAR(Sum(MixUniform(unnormalised, 0.25)), 1, 1e-12);
}

TEST(NewcomerShare, IsOfTheEnlargedSet) {
  const std::vector<double> others{std::log(0.5), std::log(0.25)};
  EXPECT_NEAR(NewcomerShare(others, std::log(0.25)), 0.25, 1e-12);
  EXPECT_NEAR(NewcomerShare({}, -7), 1, 1e-12);
}

}  // namespace
}  // namespace plumbline
