// Rank statistics: how well a score tells two groups apart.
#pragma once

#include <span>

#include "plumbline/stats/interval.h"

namespace plumbline {

/// The area under the ROC curve: the probability that a random positive scores above a random
/// negative, ties counted half (Mann-Whitney's U over the number of pairs). Neither may be empty.
double Auc(std::span<const double> positives, std::span<const double> negatives);

/// Auc with the score interval of Newcombe (2006, method 5). It stays sensible for small groups
/// and near 1, where DeLong's variance is 0 and the interval a point.
Interval AucInterval(std::span<const double> positives, std::span<const double> negatives,
                     double confidence);

}  // namespace plumbline
