// Runs of different procedures over the same prompts, judged by one judge, beside each other: each
// run's rate of good answers and mean value, and each later run against the first, prompt by
// prompt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plumbline/stats/interval.h"

namespace plumbline {

struct JudgedAnswer {
  std::string prompt;  ///< Equal for the same prompt in every run; distinct within a run.
  double value = 0;    ///< The judge's, in [-1, 1].
  double tokens = 0;
  double tokens_read = 0;
  double seconds = 0;
};

struct JudgedRun {
  std::string name;
  std::vector<JudgedAnswer> answers;  ///< At least one.
};

struct ComparisonOptions {
  double threshold = 0;      ///< An answer is good if its value is above this.
  double confidence = 0.95;  ///< Of all intervals, in (0, 1).
  int resamples = 10000;     ///< Of each bootstrap and each permutation test.
};

struct RunSummary {
  std::string name;
  int64_t answers = 0;
  int64_t good = 0;
  Interval good_rate;  ///< Wilson's interval.
  Interval value;      ///< Mean; percentile bootstrap over prompts.
  double tokens = 0;   ///< Means over answers, from here on.
  double tokens_read = 0;
  double seconds = 0;
};

/// One run against the first, on the prompts that both answered. Differences: this minus the first.
struct PairedSummary {
  std::string name;
  std::string baseline;
  int64_t pairs = 0;
  int64_t missing = 0;       ///< Prompts that only one of the two answered.
  int64_t turned_good = 0;   ///< Prompts whose answer is good here and not there.
  int64_t turned_bad = 0;    ///< The reverse.
  Interval good_difference;  ///< Of rates, in [-1, 1]; percentile bootstrap over pairs.
  double good_p = 1;         ///< McNemar's exact test, two-sided.
  Interval value_difference;
  double value_p = 1;  ///< Sign-flip permutation test of the mean, two-sided.
};

struct Comparison {
  std::vector<RunSummary> runs;       ///< In the order given.
  std::vector<PairedSummary> paired;  ///< One for each run but the first.
};

/// Every run has a prompt in common with the first. Deterministic: resampling has fixed seeds.
Comparison CompareRuns(const std::vector<JudgedRun>& runs, const ComparisonOptions& options);

}  // namespace plumbline
