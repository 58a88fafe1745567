#include "plumbline/cli/sampling_options.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plumbline/core/text.h"

namespace plumbline {

void AddSamplingOptions(CLI::App& app, SamplingOptions& options) {
  Sampling& sampling = options.sampling;
  const auto number = [&](const char* name, auto& value, const char* help) {
    app.add_option(name, value, help)->group("Sampling")->type_name("NUM")->capture_default_str();
  };
  number("--seed", options.seed, "All randomness derives from it, and from the prompt's text");
  number("--temperature", sampling.temperature, "0 takes the most likely token");
  number("--top-k", sampling.top_k, "Keep the k most likely tokens; 0 keeps all");
  number("--top-p", sampling.top_p, "Keep the smallest set with this probability; 1 keeps all");
  number("--min-p", sampling.min_p, "Drop tokens below this share of the most likely one");
  number("--repetition-penalty", sampling.repetition_penalty,
         "Divides the logits of tokens just used; 1 for none");
  number("--penalty-window", sampling.penalty_window, "Tokens that count as just used");
  const auto limit = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->group("Limits");
  };
  limit("--max-tokens", options.max_tokens, "Tokens of an answer at most")
      ->check(CLI::Range(1, 1 << 24).description(""))
      ->type_name("N")
      ->capture_default_str();
  limit("--stop", options.stop, "The answer ends before this text; repeatable")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  limit("--time-budget", options.time_budget_s,
        "Seconds for each answer; then the best so far. 0: no bound")
      ->check(CLI::Range(0.0, 1e15).description(""))
      ->type_name("SECONDS")
      ->capture_default_str();
  limit("--token-budget", options.token_budget,
        "Tokens that the model may read for each answer; then the best so far. 0: no bound")
      ->check(CLI::Range(0.0, 1e15).description(""))
      ->type_name("TOKENS")
      ->capture_default_str();
}

Status CheckSamplingOptions(const SamplingOptions& options) {
  PLUMBLINE_TRY(ValidateSampling(options.sampling));
  for (const std::string& stop : options.stop) {
    if (stop.empty() || !IsValidUtf8(stop)) {
      return Fail(ErrorCode::kInvalidArgument, "--stop is empty or not valid UTF-8");
    }
  }
  return {};
}

Limits LimitsOf(const SamplingOptions& options) {
  Limits limits;
  limits.max_tokens = options.max_tokens;
  limits.stop_strings = options.stop;
  if (options.time_budget_s > 0) {
    limits.time_budget = std::chrono::milliseconds(std::llround(options.time_budget_s * 1000));
  }
  if (options.token_budget > 0) limits.token_budget = options.token_budget;
  return limits;
}

nlohmann::json SamplingSettings(const SamplingOptions& options) {
  const Sampling& sampling = options.sampling;
  return {{"seed", options.seed},
          {"temperature", sampling.temperature},
          {"top-k", sampling.top_k},
          {"top-p", sampling.top_p},
          {"min-p", sampling.min_p},
          {"repetition-penalty", sampling.repetition_penalty},
          {"penalty-window", sampling.penalty_window},
          {"max-tokens", options.max_tokens},
          {"stop", options.stop},
          {"time-budget", options.time_budget_s},
          {"token-budget", options.token_budget}};
}

}  // namespace plumbline
