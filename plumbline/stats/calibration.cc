#include "plumbline/stats/calibration.h"

#include <algorithm>
#include <cmath>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

struct Moments {
  double count = 0, probability = 0, outcome = 0;
};

// The negative log-likelihood and its derivatives at one fit.
struct Curvature {
  double loss = 0;
  double slope = 0, intercept = 0;               // gradient
  double slope2 = 0, cross = 0, intercept2 = 0;  // Hessian
};

class SmoothedLikelihood {
 public:
  SmoothedLikelihood(std::span<const double> scores, const std::vector<bool>& outcomes)
      : scores_(scores), outcomes_(outcomes) {
    const double positives = std::count(outcomes.begin(), outcomes.end(), true);
    const double negatives = static_cast<double>(outcomes.size()) - positives;
    PLUMBLINE_CHECK(positives > 0 && negatives > 0);
    positive_target_ = (positives + 1) / (positives + 2);
    negative_target_ = 1 / (negatives + 2);
  }

  Curvature At(const LogisticFit& fit) const {
    Curvature sum;
    for (size_t i = 0; i < scores_.size(); ++i) {
      const double x = scores_[i];
      const double target = outcomes_[i] ? positive_target_ : negative_target_;
      const double z = fit.slope * x + fit.intercept;
      const double p = 1 / (1 + std::exp(-z));
      // log(1 + e^z) without overflow.
      sum.loss += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - target * z;
      sum.slope += (p - target) * x;
      sum.intercept += p - target;
      const double weight = p * (1 - p);
      sum.slope2 += weight * x * x;
      sum.cross += weight * x;
      sum.intercept2 += weight;
    }
    return sum;
  }

 private:
  std::span<const double> scores_;
  const std::vector<bool>& outcomes_;
  double positive_target_ = 1;
  double negative_target_ = 0;
};

}  // namespace

double ExpectedCalibrationError(std::span<const double> probabilities,
                                const std::vector<bool>& outcomes, int bins) {
  PLUMBLINE_CHECK(!probabilities.empty() && probabilities.size() == outcomes.size() && bins >= 1);
  std::vector<Moments> moments(bins);
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const int bin = std::clamp(static_cast<int>(probabilities[i] * bins), 0, bins - 1);
    moments[bin].count += 1;
    moments[bin].probability += probabilities[i];
    moments[bin].outcome += outcomes[i] ? 1 : 0;
  }
  double error = 0;
  for (const Moments& bin : moments) error += std::abs(bin.outcome - bin.probability);
  return error / static_cast<double>(probabilities.size());
}

LogisticFit FitLogistic(std::span<const double> scores, const std::vector<bool>& outcomes) {
  PLUMBLINE_CHECK(scores.size() == outcomes.size());
  const SmoothedLikelihood likelihood(scores, outcomes);
  LogisticFit fit{0, 0};
  // Newton's method; the small ridge keeps equal scores solvable, halving keeps it descending.
  constexpr double kRidge = 1e-9;
  for (int i = 0; i < 100; ++i) {
    const Curvature here = likelihood.At(fit);
    if (std::hypot(here.slope, here.intercept) < 1e-10) break;
    const double a = here.slope2 + kRidge;
    const double c = here.intercept2 + kRidge;
    const double determinant = a * c - here.cross * here.cross;
    const double slope_step = (c * here.slope - here.cross * here.intercept) / determinant;
    const double intercept_step = (a * here.intercept - here.cross * here.slope) / determinant;
    double step = 1;
    LogisticFit next;
    do {
      next = {fit.slope - step * slope_step, fit.intercept - step * intercept_step};
      step /= 2;
    } while (likelihood.At(next).loss > here.loss && step > 1e-10);
    fit = next;
  }
  return fit;
}

}  // namespace plumbline
