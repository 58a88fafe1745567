// Whether stated probabilities can be relied on, and how to mend them.
#pragma once

#include <span>
#include <vector>

namespace plumbline {

/// Expected calibration error: probabilities in `bins` equal intervals of [0, 1]; the mean over
/// all items of |observed rate - mean probability| of the item's bin. Sizes are equal, not 0.
double ExpectedCalibrationError(std::span<const double> probabilities,
                                const std::vector<bool>& outcomes, int bins);

struct LogisticFit {
  double slope = 1;
  double intercept = 0;
};

/// Maximum-likelihood sigmoid(slope * score + intercept) for the outcomes, with Platt's smoothed
/// targets (1999), which keep it finite on separable data. Both outcomes must occur.
LogisticFit FitLogistic(std::span<const double> scores, const std::vector<bool>& outcomes);

}  // namespace plumbline
