// How fast plain sampling is, as a ratio to llama.cpp driven directly in the same run. The two are
// measured in turn, several times, and the ratio is the median over pairs: machines are noisy.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumbline/core/result.h"

namespace plumbline {

struct DecodeBenchOptions {
  std::string model_path;
  int threads = 0;                         ///< 0: one for each processor.
  std::vector<int> streams = {1, 16, 32};  ///< Answers written at once from one prompt.
  int tokens = 64;                         ///< Of each answer.
  int pairs = 5;                           ///< Measurements of each.
};

/// One line of the result. Rates in tokens a second; `ratio` is ours / theirs.
struct DecodeBenchRow {
  int streams = 0;
  double ours = 0;
  double theirs = 0;  ///< llama.cpp, the faster of flash attention on and off; no sampling.
  double ratio = 0;   ///< Median over pairs.
  double lowest_ratio = 0;
  double highest_ratio = 0;
};

/// Calls `progress` with a line now and then. Blocks until done.
Result<std::vector<DecodeBenchRow>> RunDecodeBench(
    const DecodeBenchOptions& options, const std::function<void(const std::string&)>& progress);

/// A table for people, one line a row.
std::string FormatDecodeBench(const std::vector<DecodeBenchRow>& rows);

}  // namespace plumbline
