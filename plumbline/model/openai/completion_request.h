// Bodies of completion requests, in the dialect of each kind of server.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/core/random.h"
#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"
#include "plumbline/model/openai/server_profile.h"

namespace plumbline::openai {

/// What one completion request asks for, whatever the server.
struct CompletionWish {
  nlohmann::json prompt;  ///< A string, or for servers that speak token ids a mixed list.
  int max_tokens = 1;
  int count = 1;                 ///< `n`.
  int top_log_probs = 1;         ///< Alternatives reported at each position, >= 1.
  Sampling sampling;             ///< Temperature 0 for a greedy draw.
  std::optional<RandomKey> key;  ///< Gives the seed; none for requests that draw nothing.
  std::vector<std::string> stop_strings;
  bool echo = false;                    ///< Report the prompt's log-probabilities too.
  std::optional<TokenId> forced_token;  ///< Servers that speak token ids: the only one to "draw".
};

/// Fails with kUnsupported if the server has no word for the sampling rule.
Result<std::string> CompletionBody(const CompletionWish& wish, const ServerProfile& server);

/// JSON text in valid UTF-8, whatever is in its strings.
std::string DumpJson(const nlohmann::json& json);

}  // namespace plumbline::openai
