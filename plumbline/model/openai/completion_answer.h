// The answer to a completion request, taken apart and checked. Knows the two ways in which servers
// report log-probabilities: parallel lists (the completions protocol; vLLM, SGLang) and a list of
// objects with bytes and ids (the chat protocol's; llama-server).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"

namespace plumbline::openai {

struct RemoteToken {
  std::string text;           ///< Bytes; empty for llama-server's control tokens.
  std::optional<TokenId> id;  ///< The server's, if it says.
  double log_prob = 0;        ///< Nats, under the model itself.
};

/// One position of a completion.
struct RemoteStep {
  RemoteToken chosen;
  std::vector<RemoteToken> top;  ///< Most likely first.
  bool known = true;  ///< False where nothing precedes: the first token of an echoed prompt.
};

struct RemoteChoice {
  std::string text;
  std::vector<RemoteStep> steps;  ///< Texts in a row give `text`, and an end-of-text token perhaps.
  bool stopped = false;           ///< By the end of text or a stop string; else by the length.
  std::optional<bool> by_stop_string;  ///< Which of the two, if the server says.
};

struct RemoteCompletion {
  std::vector<RemoteChoice> choices;  ///< In the order of their index.
  int64_t prompt_tokens = 0;          ///< 0 if the server doesn't count.
  int64_t cached_tokens = 0;          ///< Of these, not computed again.
  int64_t completion_tokens = 0;
};

/// Fails with kRemote unless `body` is a completion with exactly `count` choices whose
/// log-probabilities are finite numbers, not above zero. `where` begins the message.
Result<RemoteCompletion> ParseCompletion(std::string_view body, int count,
                                         const std::string& where);

}  // namespace plumbline::openai
