#include "plumbline/stats/paired.h"

#include <gtest/gtest.h>

#include <vector>

namespace plumbline {
namespace {

TEST(SignTest, MatchesTheBinomialTails) {
  EXPECT_NEAR(SignTest(8, 2), 2 * (1 + 10 + 45) / 1024.0, 1e-12);
  EXPECT_NEAR(SignTest(2, 8), SignTest(8, 2), 1e-15);
  EXPECT_NEAR(SignTest(10, 0), 2 / 1024.0, 1e-12);
  EXPECT_DOUBLE_EQ(SignTest(5, 5), 1);
  EXPECT_DOUBLE_EQ(SignTest(0, 0), 1);
}

TEST(SignFlipTest, EnumeratesSmallSamples) {
  const std::vector<double> differences = {1, 2, 3};
  EXPECT_DOUBLE_EQ(SignFlipTest(differences, RandomKey(1), 1), 2.0 / 8);
  const std::vector<double> mixed = {1, -2, 3};  // |sum| = 2: all but +-6 and +-4 of 8 are <= 2.
  EXPECT_DOUBLE_EQ(SignFlipTest(mixed, RandomKey(1), 1), 6.0 / 8);
  EXPECT_DOUBLE_EQ(SignFlipTest({}, RandomKey(1), 1), 1);
}

TEST(SignFlipTest, OfEqualDifferencesIsTheSignTest) {
  // Above the size of enumeration, so this is the sampled estimate of an exact value.
  const std::vector<double> differences = {1, 1, 1, 1, 1,  1,  1,  1,  1,
                                           1, 1, 1, 1, -1, -1, -1, -1, -1};
  EXPECT_NEAR(SignFlipTest(differences, RandomKey(2), 20000), SignTest(13, 5), 0.01);
}

TEST(SignFlipTest, IsNeverZero) {
  const std::vector<double> differences(40, 1.0);
  EXPECT_DOUBLE_EQ(SignFlipTest(differences, RandomKey(2), 99), 0.01);
}

}  // namespace
}  // namespace plumbline
