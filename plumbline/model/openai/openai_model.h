// A language model behind any OpenAI-compatible server: vLLM, SGLang, llama-server, and others
// that offer POST /v1/completions with log-probabilities. How the work leaves one machine.
//
// Every verb becomes completion requests, performed by a bounded pool of threads with retries and
// deadlines; coroutines that wait share the pool, and are resumed on the executor's thread in the
// order in which they asked. docs/remote.md says which request each verb costs, what each kind of
// server can and can't do, and where answers are approximate.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"

namespace plumbline {

struct OpenAiOptions {
  std::string base_url;  ///< "http://host:8000", with "/v1" or without. Required.
  std::string model;     ///< As the server names it; empty: the only one that it has.

  int max_concurrency = 8;  ///< Requests under way at once, and threads; in [1, 1024].
  int max_retries = 4;      ///< After a failed connection, a timeout, 408, 429 or 5xx; >= 0.
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds attempt_timeout{120'000};  ///< Of one try of a request.
  std::chrono::milliseconds deadline{300'000};  ///< Of a request with all its retries and pauses.
  std::chrono::milliseconds initial_backoff{250};  ///< Before the first retry; then doubles.
  std::chrono::milliseconds max_backoff{8000};     ///< The longest pause, unless the server asks.
  size_t max_response_bytes = 64u << 20;           ///< A larger answer is refused.

  /// Alternatives that are asked for where probabilities are compared or renormalised, in
  /// [1, 1000]. vLLM allows 20 unless it was started with more (--max-logprobs), OpenAI itself 5.
  int top_log_probs = 20;

  /// The longest path, in tokens; 0: what the server says, if it says.
  int context_tokens = 0;

  /// Let the server write dialogues by its model's chat template, if it offers to (llama-server's
  /// POST /apply-template). If not: plain text.
  bool use_server_chat_template = true;

  /// Environment variables that may hold the bearer token, tried in this order. The token is read
  /// from nowhere else, and only ever sent to `base_url`.
  std::string api_key_variable = "PLUMBLINE_API_KEY";
  std::string fallback_api_key_variable = "OPENAI_API_KEY";
};

/// Reaches the server, finds out what it is, and checks by a completion of one token that it does
/// what is needed. Blocks for as long as that takes, at most for `deadline` a request.
/// Fails with kInvalidArgument for an option out of range; kNetwork if nobody answers; kNotFound
/// if it has no such model (naming the nearest) or no completions; kUnsupported if it reports no
/// log-probabilities, or for https in a build without TLS; kRemote if it answers nonsense or
/// refuses the token.
Result<std::unique_ptr<LanguageModel>> ConnectOpenAi(const OpenAiOptions& options);

}  // namespace plumbline
