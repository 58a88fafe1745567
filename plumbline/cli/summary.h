// What a run cost, for people.
#pragma once

#include <string>
#include <vector>

#include "plumbline/cli/job.h"

namespace plumbline {

/// One answer: tokens, time, tokens per second, what the model read, what the search did. One or
/// two lines, with line ends.
std::string FormatAnswerSummary(const JobResult& result);

/// Sums over the answers of a run.
class RunTotals {
 public:
  void Add(const JobResult& result);
  size_t answered() const { return answered_; }
  size_t failed() const { return failed_; }

  /// "12 prompts in 34.5 s (0.35/s) ...": counts, rates and tokens over `seconds` of wall time.
  std::string Format(double seconds) const;

 private:
  size_t answered_ = 0;
  size_t failed_ = 0;
  int64_t answer_tokens_ = 0;
  int64_t visits_ = 0;
  double value_sum_ = 0;
  size_t values_ = 0;
  Usage usage_;
};

/// Procedures beside each other: one row each, columns aligned.
std::string FormatComparison(const std::vector<JobResult>& results);

}  // namespace plumbline
