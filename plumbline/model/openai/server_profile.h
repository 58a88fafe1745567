// What kind of server answers, and what it can do beyond the common protocol.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline::openai {

enum class ServerKind { kLlamaServer, kVllm, kSglang, kOther };

std::string_view ServerKindName(ServerKind kind);

/// Found out once, when the model is connected.
struct ServerProfile {
  ServerKind kind = ServerKind::kOther;
  std::string model;          ///< As requests name it.
  int context_tokens = 0;     ///< 0: unknown.
  int vocabulary_size = 0;    ///< 0: unknown.
  int max_completions = 128;  ///< The largest `n` of one request.
  bool has_chat_template = false;
  std::optional<int> end_of_text_id;  ///< llama-server: the id of its end-of-text token.

  /// Takes prompts as lists of texts and token ids mixed, tells the ids of what it generates,
  /// biases single tokens, and reports probabilities before any of that: llama-server.
  bool speaks_token_ids() const { return kind == ServerKind::kLlamaServer; }
  /// Knows top_k, min_p and a repetition penalty.
  bool has_sampling_extensions() const { return kind != ServerKind::kOther; }
  /// Has POST /tokenize.
  bool has_tokenizer() const {
    return kind == ServerKind::kLlamaServer || kind == ServerKind::kVllm;
  }
};

}  // namespace plumbline::openai
