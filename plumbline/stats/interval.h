// Confidence intervals.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "plumbline/core/random.h"

namespace plumbline {

/// An estimate with the interval that covers the truth with the stated confidence.
struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
};

/// The quantile function of the standard normal distribution; p in (0, 1).
double NormalQuantile(double p);

/// Wilson's score interval for a proportion: `successes` of `trials`, confidence in (0, 1). Half
/// successes are allowed: ties.
/// Without trials the interval is [0, 1] around 0.5.
Interval WilsonInterval(double successes, int64_t trials, double confidence);

struct BootstrapOptions {
  int resamples = 2000;      ///< >= 1.
  double confidence = 0.95;  ///< In (0, 1).
};

/// Percentile bootstrap (Efron 1979) of a statistic of one sample of `size` >= 1: `statistic` is
/// given indices into the sample, drawn with replacement.
Interval BootstrapInterval(int64_t size,
                           const std::function<double(std::span<const int64_t>)>& statistic,
                           RandomKey key, const BootstrapOptions& options);

/// Percentile bootstrap of the mean of `values`, which must not be empty.
Interval BootstrapMean(std::span<const double> values, RandomKey key,
                       const BootstrapOptions& options);

}  // namespace plumbline
