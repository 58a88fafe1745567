#include "plumbline/search/priors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

double LogSum(std::span<const double> log_weights) {
  const double max = *std::max_element(log_weights.begin(), log_weights.end());
  PLUMBLINE_CHECK(std::isfinite(max));
  double sum = 0;
  for (const double weight : log_weights) sum += std::exp(weight - max);
  return max + std::log(sum);
}

}  // namespace

std::vector<double> Normalise(std::span<const double> log_weights) {
  if (log_weights.empty()) return {};
  const double log_sum = LogSum(log_weights);
  std::vector<double> shares;
  for (const double weight : log_weights) shares.push_back(std::exp(weight - log_sum));
  return shares;
}

double ClampGreedy(double greedy, std::span<const double> sampled) {
  if (sampled.empty()) return greedy;
  const auto [smallest, largest] = std::minmax_element(sampled.begin(), sampled.end());
  const std::vector<double> bounds{*largest, *smallest};
  return std::max(std::min(greedy, LogSum(sampled)), LogSum(bounds));
}

std::vector<double> MixUniform(std::span<const double> priors, double share) {
  std::vector<double> mixed;
  for (const double prior : priors) {
    mixed.push_back((1 - share) * prior + share / static_cast<double>(priors.size()));
  }
  const double sum = std::accumulate(mixed.begin(), mixed.end(), 0.0);
  for (double& prior : mixed) prior /= sum;
  return mixed;
}

double NewcomerShare(std::span<const double> others, double newcomer) {
  std::vector<double> all(others.begin(), others.end());
  all.push_back(newcomer);
  return std::exp(newcomer - LogSum(all));
}

}  // namespace plumbline
