// From probabilities of token sets to the priors of children. Log-weights in nats, priors sum to 1.
#pragma once

#include <span>
#include <vector>

namespace plumbline {

/// Shares proportional to exp(log_weight). At least one weight must be finite.
std::vector<double> Normalise(std::span<const double> log_weights);

/// The greedy token set's log-weight, held between the largest plus the smallest and the sum of
/// the sampled ones (the lower bound wins where they cross), so that one long greedy set neither
/// drowns nor vanishes among samples. Unchanged without samples.
double ClampGreedy(double greedy, std::span<const double> sampled);

/// `(1 - share) * p + share / count`, then normalised: at the root every child gets a chance.
std::vector<double> MixUniform(std::span<const double> priors, double share);

/// A newcomer's share of the set that it enlarges.
double NewcomerShare(std::span<const double> others, double newcomer);

}  // namespace plumbline
