#include "plumbline/stats/paired.h"

#include <algorithm>
#include <cmath>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

constexpr size_t kLargestEnumerated = 16;

// Sums that differ only by rounding count as equal.
bool AtLeast(double flipped, double observed) {
  return std::abs(flipped) >= std::abs(observed) * (1 - 1e-12);
}

double ExactSignFlip(std::span<const double> differences, double observed) {
  const uint64_t flips = uint64_t{1} << differences.size();
  uint64_t hits = 0;
  for (uint64_t signs = 0; signs < flips; ++signs) {
    double sum = 0;
    for (size_t i = 0; i < differences.size(); ++i) {
      sum += (signs >> i & 1) != 0 ? differences[i] : -differences[i];
    }
    hits += AtLeast(sum, observed);
  }
  return static_cast<double>(hits) / static_cast<double>(flips);
}

}  // namespace

double SignTest(int64_t wins, int64_t losses) {
  PLUMBLINE_CHECK(wins >= 0 && losses >= 0);
  const int64_t pairs = wins + losses;
  const double log_half = std::log(0.5);
  double tail = 0;
  for (int64_t k = 0; k <= std::min(wins, losses); ++k) {
    tail += std::exp(std::lgamma(pairs + 1.0) - std::lgamma(k + 1.0) -
                     std::lgamma(pairs - k + 1.0) + pairs * log_half);
  }
  return std::min(1.0, 2 * tail);
}

double SignFlipTest(std::span<const double> differences, RandomKey key, int resamples) {
  if (differences.empty()) return 1;
  double observed = 0;
  for (const double difference : differences) observed += difference;
  if (differences.size() <= kLargestEnumerated) return ExactSignFlip(differences, observed);
  PLUMBLINE_CHECK(resamples >= 1);
  RandomStream random(key);
  int hits = 1;
  for (int i = 0; i < resamples; ++i) {
    double sum = 0;
    for (const double difference : differences) {
      sum += random.NextBelow(2) == 0 ? difference : -difference;
    }
    hits += AtLeast(sum, observed);
  }
  return static_cast<double>(hits) / (resamples + 1.0);
}

}  // namespace plumbline
