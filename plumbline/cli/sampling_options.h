// The flags for drawing tokens and for where an answer ends.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"
#include "plumbline/procedures/procedure.h"

namespace plumbline {

struct SamplingOptions {
  uint64_t seed = 0;
  Sampling sampling;
  int max_tokens = 256;
  std::vector<std::string> stop;
  double time_budget_s = 0;  ///< 0: none.
  int64_t token_budget = 0;  ///< 0: none.
};

void AddSamplingOptions(CLI::App& app, SamplingOptions& options);

/// kInvalidArgument, naming the flag, if a value is out of range.
Status CheckSamplingOptions(const SamplingOptions& options);

Limits LimitsOf(const SamplingOptions& options);

/// What determines answers, for the header of a results file.
nlohmann::json SamplingSettings(const SamplingOptions& options);

}  // namespace plumbline
