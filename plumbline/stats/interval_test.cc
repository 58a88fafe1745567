#include "plumbline/stats/interval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plumbline {
namespace {

TEST(NormalQuantile, MatchesTables) {
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.95), 1.6448536269514722, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.5), 0, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.001), -3.090232306167813, 1e-9);
}

TEST(WilsonInterval, MatchesIndependentValues) {
  const Interval eight_of_ten = WilsonInterval(8, 10, 0.95);
  EXPECT_DOUBLE_EQ(eight_of_ten.estimate, 0.8);
  EXPECT_NEAR(eight_of_ten.low, 0.4901624715, 1e-9);
  EXPECT_NEAR(eight_of_ten.high, 0.9433178485, 1e-9);
  const Interval none = WilsonInterval(0, 20, 0.95);
  EXPECT_DOUBLE_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.1611251581, 1e-9);
}

TEST(WilsonInterval, WithoutTrialsSaysNothing) {
  const Interval interval = WilsonInterval(0, 0, 0.95);
  EXPECT_EQ(interval.low, 0);
  EXPECT_EQ(interval.high, 1);
}

TEST(BootstrapMean, IsNearTheNormalInterval) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);
  const Interval interval = BootstrapMean(values, RandomKey(3), {});
  EXPECT_DOUBLE_EQ(interval.estimate, 0.5);
  EXPECT_NEAR(interval.low, 0.451, 0.006);
  EXPECT_NEAR(interval.high, 0.549, 0.006);
}

TEST(BootstrapInterval, OfAConstantIsAPoint) {
  const auto three = [](std::span<const int64_t>) { return 3.0; };
  const Interval interval = BootstrapInterval(5, three, RandomKey(1), {.resamples = 10});
  EXPECT_EQ(interval.low, 3);
  EXPECT_EQ(interval.high, 3);
}

TEST(BootstrapInterval, OfTheMaximumNeverExceedsTheSample) {
  const std::vector<double> values = {1, 5, 2, 4};
  const auto maximum = [&values](std::span<const int64_t> indices) {
    double best = 0;
    for (const int64_t i : indices) best = std::max(best, values[i]);
    return best;
  };
  const Interval interval = BootstrapInterval(4, maximum, RandomKey(1), {.resamples = 500});
  EXPECT_EQ(interval.estimate, 5);
  EXPECT_EQ(interval.high, 5);
  EXPECT_LT(interval.low, 5);
}

}  // namespace
}  // namespace plumbline
