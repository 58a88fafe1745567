// The distribution of a sample.
#pragma once

#include <vector>

namespace plumbline {

/// A sample, sorted. Immutable.
class EmpiricalDistribution {
 public:
  /// At least one value, none of them NaN.
  explicit EmpiricalDistribution(std::vector<double> values);

  /// The p-quantile, p in [0, 1], by linear interpolation between order statistics (type 7 of
  /// Hyndman and Fan 1996: R's and NumPy's default).
  double Quantile(double p) const;

  /// The share of values <= x.
  double Cdf(double x) const;

  /// The share of values < x plus half the share equal to x: where x ranks, in [0, 1].
  double MidRank(double x) const;

  const std::vector<double>& sorted() const { return sorted_; }

 private:
  std::vector<double> sorted_;
};

}  // namespace plumbline
