#include "plumbline/stats/empirical.h"

#include <algorithm>
#include <cmath>

#include "plumbline/core/check.h"

namespace plumbline {

EmpiricalDistribution::EmpiricalDistribution(std::vector<double> values)
    : sorted_(std::move(values)) {
  PLUMBLINE_CHECK(!sorted_.empty());
  std::sort(sorted_.begin(), sorted_.end());
}

double EmpiricalDistribution::Quantile(double p) const {
  PLUMBLINE_CHECK(p >= 0 && p <= 1);
  const double position = p * static_cast<double>(sorted_.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted_.size() - 1);
  return sorted_[below] + (position - below) * (sorted_[above] - sorted_[below]);
}

double EmpiricalDistribution::Cdf(double x) const {
  const auto end = std::upper_bound(sorted_.begin(), sorted_.end(), x);
  return static_cast<double>(end - sorted_.begin()) / sorted_.size();
}

double EmpiricalDistribution::MidRank(double x) const {
  const auto [first, last] = std::equal_range(sorted_.begin(), sorted_.end(), x);
  const double below = first - sorted_.begin();
  const double equal = last - first;
  return (below + equal / 2) / sorted_.size();
}

}  // namespace plumbline
