// Tests for paired outcomes: the same prompts, answered in two ways.
#pragma once

#include <cstdint>
#include <span>

#include "plumbline/core/random.h"

namespace plumbline {

/// Two-sided exact sign test: the probability, if either side wins a pair with probability 1/2,
/// of a split at least as uneven as wins : losses. Ties are left out by the caller. With the two
/// kinds of discordant pairs as arguments this is McNemar's exact test. 1 without any pair.
double SignTest(int64_t wins, int64_t losses);

/// Two-sided sign-flip permutation test of a mean difference of 0: the probability that |mean|
/// is at least as large when every difference's sign is random. Exact by enumeration up to 16
/// differences, else by `resamples` random flips, the observed one counted in (never 0).
double SignFlipTest(std::span<const double> differences, RandomKey key, int resamples);

}  // namespace plumbline
