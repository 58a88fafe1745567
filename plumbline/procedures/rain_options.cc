#include "plumbline/procedures/rain_options.h"

#include <algorithm>
#include <cmath>

#include "plumbline/core/text.h"

namespace plumbline {

RainOptions ReferenceRain() { return {}; }

RainOptions DefaultRain() {
  RainOptions options;
  options.preset = "default";
  options.similarity = SimilarityUse::kWithEmbedder;
  options.roll_by_request = true;
  options.roll_to_clause = false;  // A fixed stretch: "Sure," alone says nothing of what follows.
  options.roll_tokens = 20;
  options.visits = 16;
  options.extra_visits = 0;
  options.draft_first = true;
  options.speculate = 8;
  return options;
}

Result<RainOptions> RainPreset(std::string_view name) {
  if (name == "reference") return ReferenceRain();
  if (name == "default") return DefaultRain();
  const std::vector<std::string> names{"reference", "default"};
  const std::string nearest = NearestName(name, names);
  return Fail(
      ErrorCode::kInvalidArgument, "unknown RAIN preset '" + std::string(name) + "'",
      nearest.empty() ? "presets are: reference, default" : "did you mean " + nearest + "?");
}

Status ValidateRainOptions(const RainOptions& o) {
  const auto check = [](bool holds, const char* rule) -> Status {
    if (holds) return {};
    return Fail(ErrorCode::kInvalidArgument, std::string("rain: ") + rule);
  };
  const bool lengths = !o.set_lengths.empty() &&
                       std::ranges::all_of(o.set_lengths, [](int length) { return length >= 1; });
  PLUMBLINE_TRY(check(lengths, "set_lengths must be one or more lengths of 1 or more"));
  PLUMBLINE_TRY(check(std::isfinite(o.c_puct) && o.c_puct >= 0, "c_puct must be 0 or more"));
  PLUMBLINE_TRY(check(o.top_tokens >= 1, "top_tokens must be 1 or more"));
  PLUMBLINE_TRY(check(o.samples >= 0, "samples must be 0 or more"));
  PLUMBLINE_TRY(check(o.sample_top_k >= 0, "sample_top_k must be 0 (all) or more"));
  PLUMBLINE_TRY(
      check(o.uniform_share >= 0 && o.uniform_share <= 1, "uniform_share must be in [0, 1]"));
  PLUMBLINE_TRY(check(o.roll_tokens >= 0, "roll_tokens must be 0 (no limit) or more"));
  PLUMBLINE_TRY(check(o.visits >= 1, "visits must be 1 or more"));
  PLUMBLINE_TRY(check(o.extra_visits >= 0, "extra_visits must be 0 or more"));
  PLUMBLINE_TRY(check(o.draft_tokens >= 1, "draft_tokens must be 1 or more"));
  PLUMBLINE_TRY(check(o.draft_prefixes >= 0, "draft_prefixes must be 0 or more"));
  PLUMBLINE_TRY(check(o.max_searches >= 0, "max_searches must be 0 or more"));
  return check(o.speculate >= 1, "speculate must be 1 or more");
}

int SetLength(const RainOptions& options, int depth) {
  const size_t last = options.set_lengths.size() - 1;
  return options.set_lengths[std::min<size_t>(depth, last)];
}

int DepthOfLength(const RainOptions& options, int tokens) {
  int depth = 0;
  for (int covered = 0; covered < tokens; ++depth) covered += SetLength(options, depth);
  return depth;
}

}  // namespace plumbline
