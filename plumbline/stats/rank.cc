#include "plumbline/stats/rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

// The variance of the estimated area when the true one is `area`, for exponential scores (Hanley
// and McNeil 1982), with both group sizes in the second-order terms replaced by their mean.
double AreaVariance(double area, double positives, double negatives) {
  const double mean_minus_one = (positives + negatives) / 2 - 1;
  const double spread = 1 + mean_minus_one * ((1 - area) / (2 - area) + area / (1 + area));
  return area * (1 - area) * spread / (positives * negatives);
}

// The area between `inside` (the estimate) and `outside` (0 or 1) at which the estimate is just z
// standard deviations away.
double ScoreLimit(double inside, double outside, double z, double positives, double negatives) {
  const double estimate = inside;
  for (int i = 0; i < 100; ++i) {
    const double middle = (inside + outside) / 2;
    const double distance = std::abs(estimate - middle);
    const bool covered = distance <= z * std::sqrt(AreaVariance(middle, positives, negatives));
    (covered ? inside : outside) = middle;
  }
  return (inside + outside) / 2;
}

}  // namespace

double Auc(std::span<const double> positives, std::span<const double> negatives) {
  PLUMBLINE_CHECK(!positives.empty() && !negatives.empty());
  std::vector<double> sorted(negatives.begin(), negatives.end());
  std::sort(sorted.begin(), sorted.end());
  double wins = 0;
  for (const double value : positives) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    wins += static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  }
  return wins / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

Interval AucInterval(std::span<const double> positives, std::span<const double> negatives,
                     double confidence) {
  const double area = Auc(positives, negatives);
  const double z = NormalQuantile(0.5 + confidence / 2);
  const double m = static_cast<double>(positives.size());
  const double n = static_cast<double>(negatives.size());
  return {area, area == 0 ? 0 : ScoreLimit(area, 0, z, m, n),
          area == 1 ? 1 : ScoreLimit(area, 1, z, m, n)};
}

}  // namespace plumbline
