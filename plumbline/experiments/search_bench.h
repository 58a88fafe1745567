// What a search costs: RAIN beside plain sampling of the same prompts with the same model in one
// process, both with a warm cache of everything that is read once per model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/data/dialogue.h"
#include "plumbline/procedures/rain_options.h"

namespace plumbline {

struct SearchBenchOptions {
  std::string model_path;
  int threads = 0;                  ///< 0: one for each processor.
  int cells = 16384;                ///< Of the key/value cache.
  std::vector<Dialogue> dialogues;  ///< The prompts; at least one.
  int parallel = 8;                 ///< Prompts at once.
  int max_tokens = 64;
  uint64_t seed = 1;
  std::string judge_template = "harmless";
  bool hard_votes = false;  ///< As published; else soft values.
  RainOptions rain;
};

/// One way of answering all prompts.
struct SearchBenchRun {
  int64_t answer_tokens = 0;
  double seconds = 0;
  int64_t tokens_read = 0;
  int64_t tokens_reused = 0;
  int64_t tokens_reread = 0;
  int64_t tokens_embedded = 0;
  int64_t rounds = 0;  ///< Batches decoded.
  int64_t visits = 0;
  int64_t commits = 0;
  int64_t searched = 0;   ///< Commits that a search decided.
  double mean_value = 0;  ///< Soft self-evaluation of the final answers, rolled on afresh to the
                          ///< end of the clause.

  double seconds_per_token() const { return seconds / static_cast<double>(answer_tokens); }
};

struct SearchBenchResult {
  SearchBenchRun sampling;
  SearchBenchRun rain;
  double fixed_seconds = 0;  ///< Reading the judge's fixed part, once per model; in neither run.

  /// Wall time for as many tokens.
  double ratio() const { return rain.seconds_per_token() / sampling.seconds_per_token(); }
};

/// Blocks until done. `progress` hears a line now and then.
Result<SearchBenchResult> RunSearchBench(const SearchBenchOptions& options,
                                         const std::function<void(const std::string&)>& progress);

std::string FormatSearchBench(const SearchBenchResult& result);

}  // namespace plumbline
