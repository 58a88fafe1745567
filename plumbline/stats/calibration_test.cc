#include "plumbline/stats/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumbline {
namespace {

TEST(ExpectedCalibrationError, IsTheGapPerBin) {
  // Bin [0.2, 0.3): says 0.25 twice, right once: gap 0.25. Bin [0.9, 1]: says 1 twice, right twice.
  const std::vector<double> probabilities = {0.25, 0.25, 1, 1};
  EXPECT_NEAR(ExpectedCalibrationError(probabilities, {true, false, true, true}, 10), 0.125, 1e-12);
}

TEST(ExpectedCalibrationError, CancelsWithinABinOnly) {
  const std::vector<double> probabilities = {0.0, 1.0};
  EXPECT_NEAR(ExpectedCalibrationError(probabilities, {true, false}, 2), 1, 1e-12);
  EXPECT_NEAR(ExpectedCalibrationError(probabilities, {true, false}, 1), 0, 1e-12);
}

TEST(FitLogistic, MatchesTheClosedFormOfTwoScores) {
  // At 0 one of four is positive, at 1 three of four; smoothed targets are 5/6 and 1/6, so the
  // fitted probabilities are 1/3 and 2/3.
  const std::vector<double> scores = {0, 0, 0, 0, 1, 1, 1, 1};
  const LogisticFit fit = FitLogistic(scores, {true, false, false, false, true, true, true, false});
  EXPECT_NEAR(fit.intercept, -std::log(2.0), 1e-6);
  EXPECT_NEAR(fit.slope, 2 * std::log(2.0), 1e-6);
}

TEST(FitLogistic, StaysFiniteOnSeparableData) {
  const std::vector<double> scores = {-2, -1, 1, 2};
  const LogisticFit fit = FitLogistic(scores, {false, false, true, true});
  EXPECT_GT(fit.slope, 0);
  EXPECT_LT(fit.slope, 10);
  EXPECT_NEAR(fit.intercept, 0, 1e-6);
}

TEST(FitLogistic, OfEqualScoresIsTheBaseRate) {
  const std::vector<double> scores = {3, 3, 3};
  const LogisticFit fit = FitLogistic(scores, {true, true, false});
  const double probability = 1 / (1 + std::exp(-(3 * fit.slope + fit.intercept)));
  EXPECT_NEAR(probability, (0.75 + 0.75 + 1.0 / 3) / 3, 1e-6);
}

}  // namespace
}  // namespace plumbline
