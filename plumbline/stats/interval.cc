#include "plumbline/stats/interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "plumbline/core/check.h"
#include "plumbline/stats/empirical.h"

namespace plumbline {

double NormalQuantile(double p) {
  PLUMBLINE_CHECK(p > 0 && p < 1);
  // Bisection on the distribution function: slow, short, and exact to the last bits.
  double low = -40;
  double high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval WilsonInterval(double successes, int64_t trials, double confidence) {
  PLUMBLINE_CHECK(successes >= 0 && successes <= static_cast<double>(trials));
  if (trials == 0) return {0.5, 0, 1};
  const double z = NormalQuantile(0.5 + confidence / 2);
  const double n = static_cast<double>(trials);
  const double rate = successes / n;
  const double centre = (rate + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  return {rate, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval BootstrapInterval(int64_t size,
                           const std::function<double(std::span<const int64_t>)>& statistic,
                           RandomKey key, const BootstrapOptions& options) {
  PLUMBLINE_CHECK(size >= 1 && options.resamples >= 1);
  std::vector<int64_t> indices(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) indices[i] = i;
  const double estimate = statistic(indices);
  RandomStream random(key);
  std::vector<double> values;
  for (int resample = 0; resample < options.resamples; ++resample) {
    for (int64_t& index : indices) index = random.NextBelow(size);
    values.push_back(statistic(indices));
  }
  const EmpiricalDistribution distribution(std::move(values));
  return {estimate, distribution.Quantile(0.5 - options.confidence / 2),
          distribution.Quantile(0.5 + options.confidence / 2)};
}

Interval BootstrapMean(std::span<const double> values, RandomKey key,
                       const BootstrapOptions& options) {
  const auto mean = [values](std::span<const int64_t> indices) {
    double sum = 0;
    for (const int64_t index : indices) sum += values[index];
    return sum / static_cast<double>(indices.size());
  };
  return BootstrapInterval(static_cast<int64_t>(values.size()), mean, key, options);
}

}  // namespace plumbline
