#include "plumbline/model/openai/completion_request.h"

namespace plumbline::openai {
namespace {

using nlohmann::json;

/// Above any logit, so that a biased token is always drawn.
constexpr double kForcingBias = 1e6;

/// llama-server keeps seeds in 32 bits, of which one value means "random"; vLLM takes 64 with a
/// sign. Others get what every JSON reader holds exactly.
int64_t SeedFor(RandomKey key, ServerKind kind) {
  const uint64_t bits = RandomStream(key.Derive("remote seed")).NextBits();
  return static_cast<int64_t>(kind == ServerKind::kVllm ? bits >> 1 : bits >> 33);
}

Status CheckRule(const Sampling& sampling, const ServerProfile& server) {
  if (server.has_sampling_extensions()) return {};
  const char* field = sampling.top_k > 0                 ? "top_k"
                      : sampling.min_p > 0               ? "min_p"
                      : sampling.repetition_penalty != 1 ? "repetition_penalty"
                                                         : nullptr;
  if (field == nullptr) return {};
  return Fail(ErrorCode::kUnsupported,
              std::string("sampling: this server has no ") + field +
                  " (it is neither vLLM, SGLang nor llama-server)",
              std::string("leave ") + field + " out, or use temperature and top_p");
}

/// Everything is said explicitly: a server's own defaults may cut the distribution.
void AddSampling(const Sampling& sampling, const ServerProfile& server, json& body) {
  body["temperature"] = sampling.temperature;
  body["top_p"] = sampling.top_p;
  if (!server.has_sampling_extensions()) return;
  body["top_k"] = sampling.top_k > 0 ? sampling.top_k : -1;
  body["min_p"] = sampling.min_p;
  if (server.kind != ServerKind::kLlamaServer) {
    body["repetition_penalty"] = sampling.repetition_penalty;
    return;
  }
  body["repeat_penalty"] = sampling.repetition_penalty;
  body["repeat_last_n"] = sampling.penalty_window;
  body["samplers"] = {"penalties", "top_k", "top_p", "min_p", "temperature"};
}

}  // namespace

Result<std::string> CompletionBody(const CompletionWish& wish, const ServerProfile& server) {
  PLUMBLINE_TRY(CheckRule(wish.sampling, server));
  json body = {{"model", server.model},
               {"prompt", wish.prompt},
               {"max_tokens", wish.max_tokens},
               {"logprobs", wish.top_log_probs}};
  AddSampling(wish.sampling, server, body);
  if (wish.count > 1) body["n"] = wish.count;
  if (wish.key.has_value()) body["seed"] = SeedFor(*wish.key, server.kind);
  if (wish.echo) body["echo"] = true;
  if (wish.forced_token.has_value()) {
    body["logit_bias"] = json::array({json::array({*wish.forced_token, kForcingBias})});
  }
  if (!wish.stop_strings.empty()) {
    body["stop"] = wish.stop_strings;
    // llama-server's short answer doesn't tell a stop string from the end of text.
    if (server.kind == ServerKind::kLlamaServer) body["verbose"] = true;
  }
  return DumpJson(body);
}

std::string DumpJson(const json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace plumbline::openai
