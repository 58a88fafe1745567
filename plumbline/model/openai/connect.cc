#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "plumbline/core/text.h"
#include "plumbline/model/openai/json_reader.h"
#include "plumbline/model/openai/openai_model.h"
#include "plumbline/model/openai/remote_model.h"

namespace plumbline {
namespace openai {

std::string_view ServerKindName(ServerKind kind) {
  switch (kind) {
    case ServerKind::kLlamaServer:
      return "llama-server";
    case ServerKind::kVllm:
      return "vLLM";
    case ServerKind::kSglang:
      return "SGLang";
    case ServerKind::kOther:
      return "OpenAI-compatible server";
  }
  return "server";
}

namespace {

using nlohmann::json;

/// OpenAI's own limit, which others follow or exceed.
constexpr int kMostCompletions = 128;

Status ValidateOptions(const OpenAiOptions& options) {
  const auto check = [](bool holds, const char* rule) -> Status {
    if (holds) return {};
    return Fail(ErrorCode::kInvalidArgument, std::string("remote model: ") + rule);
  };
  PLUMBLINE_TRY(check(!options.base_url.empty(), "base_url is empty"));
  PLUMBLINE_TRY(check(options.max_concurrency >= 1 && options.max_concurrency <= 1024,
                      "max_concurrency must be in [1, 1024]"));
  PLUMBLINE_TRY(check(options.max_retries >= 0, "max_retries must be 0 or more"));
  PLUMBLINE_TRY(check(options.connect_timeout.count() > 0, "connect_timeout must be above 0"));
  PLUMBLINE_TRY(check(options.attempt_timeout.count() > 0, "attempt_timeout must be above 0"));
  PLUMBLINE_TRY(check(options.deadline.count() > 0, "deadline must be above 0"));
  PLUMBLINE_TRY(check(options.initial_backoff.count() >= 0 && options.max_backoff.count() >= 0,
                      "a back-off must be 0 or more"));
  PLUMBLINE_TRY(check(options.max_response_bytes > 0, "max_response_bytes must be above 0"));
  PLUMBLINE_TRY(check(options.top_log_probs >= 1 && options.top_log_probs <= 1000,
                      "top_log_probs must be in [1, 1000]"));
  return check(options.context_tokens >= 0, "context_tokens must be 0 (ask) or more");
}

/// A token with a line break would end the header and begin another.
Result<std::string> BearerToken(const OpenAiOptions& options) {
  for (const std::string& name : {options.api_key_variable, options.fallback_api_key_variable}) {
    // Nothing in Plumbline writes the environment.
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') continue;
    const std::string token(value);
    const bool clean = std::all_of(token.begin(), token.end(),
                                   [](unsigned char c) { return c > ' ' && c < 0x7f; });
    if (clean) return token;
    return Fail(ErrorCode::kInvalidArgument,
                "the environment variable " + name + " holds a space or a control character",
                "set it to the key alone");
  }
  return std::string();
}

PoolOptions PoolOptionsOf(const OpenAiOptions& options, std::string token) {
  PoolOptions pool;
  pool.max_concurrency = options.max_concurrency;
  pool.http.bearer_token = std::move(token);
  pool.http.connect_timeout = options.connect_timeout;
  pool.http.max_response_bytes = options.max_response_bytes;
  pool.retry.max_retries = options.max_retries;
  pool.retry.initial_backoff = options.initial_backoff;
  pool.retry.max_backoff = options.max_backoff;
  pool.retry.attempt_timeout = options.attempt_timeout;
  pool.retry.deadline = options.deadline;
  return pool;
}

/// Asks the server, one question after the other.
class Inquiry {
 public:
  explicit Inquiry(RequestPool& pool) : pool_(pool) {}

  Result<ServerProfile> Run(const OpenAiOptions& options);

 private:
  Result<json> Ask(const std::string& kind, HttpRequest request);
  Status FindModel(const std::string& wanted);
  Status AskLlamaServer();
  Status TryCompletion();

  RequestPool& pool_;
  ServerProfile server_;
};

Result<json> Inquiry::Ask(const std::string& kind, HttpRequest request) {
  RemoteRequest remote{kind, std::move(request), {}};
  const std::string where = pool_.Where(remote);
  PLUMBLINE_ASSIGN(const std::string body, pool_.Fetch(std::move(remote)));
  return JsonReader(where).Parse(body);
}

ServerKind KindOf(const std::string& owner) {
  if (owner == "llamacpp") return ServerKind::kLlamaServer;
  if (owner == "vllm") return ServerKind::kVllm;
  if (owner == "sglang") return ServerKind::kSglang;
  return ServerKind::kOther;
}

std::vector<std::string> NamesOf(const json& model) {
  std::vector<std::string> names{model["id"].get<std::string>()};
  const auto aliases = model.find("aliases");
  if (aliases == model.end() || !aliases->is_array()) return names;
  for (const json& alias : *aliases) {
    if (alias.is_string()) names.push_back(alias.get<std::string>());
  }
  return names;
}

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

int CountIn(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer()) return 0;
  return static_cast<int>(std::clamp<int64_t>(found->get<int64_t>(), 0, 1 << 30));
}

Status Inquiry::FindModel(const std::string& wanted) {
  const std::string where = "model list request to " + pool_.endpoint().Url("/v1/models");
  const JsonReader reader(where);
  PLUMBLINE_ASSIGN(const json answer, Ask("model list", {"GET", "/v1/models", ""}));
  PLUMBLINE_ASSIGN(const json* models, reader.GetArray(answer, "data"));
  std::vector<std::string> all;
  const json* found = nullptr;
  for (const json& model : *models) {
    PLUMBLINE_TRY(reader.GetString(model, "id"));
    const std::vector<std::string> names = NamesOf(model);
    if (std::find(names.begin(), names.end(), wanted) != names.end()) found = &model;
    all.push_back(names[0]);
  }
  if (wanted.empty() && models->size() == 1) found = &(*models)[0];
  if (all.empty()) return Fail(ErrorCode::kNotFound, where + ": the server has no model");
  if (found == nullptr && wanted.empty()) {
    return Fail(ErrorCode::kInvalidArgument, where + ": the server has several models",
                "name one of: " + Join(all));
  }
  if (found == nullptr) {
    const std::string nearest = NearestName(wanted, all);
    return Fail(
        ErrorCode::kNotFound, where + ": the server has no model '" + wanted + "'",
        (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") + ("it has: " + Join(all)));
  }
  server_.model = (*found)["id"].get<std::string>();
  const auto owner = found->find("owned_by");
  if (owner != found->end() && owner->is_string()) {
    server_.kind = KindOf(owner->get<std::string>());
  }
  server_.context_tokens = CountIn(*found, "max_model_len");
  const auto meta = found->find("meta");
  if (meta != found->end() && meta->is_object()) {
    server_.context_tokens = std::max(server_.context_tokens, CountIn(*meta, "n_ctx"));
    server_.vocabulary_size = CountIn(*meta, "n_vocab");
  }
  return {};
}

Status Inquiry::AskLlamaServer() {
  PLUMBLINE_ASSIGN(const json props, Ask("properties", {"GET", "/props", ""}));
  const int slots = CountIn(props, "total_slots");
  server_.max_completions = std::max(1, slots);
  const auto settings = props.find("default_generation_settings");
  if (settings != props.end() && settings->is_object()) {
    const int context = CountIn(*settings, "n_ctx");
    if (context > 0) server_.context_tokens = context;
  }
  const auto chat = props.find("chat_template");
  server_.has_chat_template =
      chat != props.end() && chat->is_string() && !chat->get_ref<const std::string&>().empty();
  const auto end = props.find("eos_token");
  if (end == props.end() || !end->is_string() || end->get_ref<const std::string&>().empty()) {
    return {};
  }
  const json body = {{"content", *end}, {"add_special", false}, {"parse_special", true}};
  PLUMBLINE_ASSIGN(const json answer, Ask("tokenize", {"POST", "/tokenize", DumpJson(body)}));
  const auto tokens = answer.find("tokens");
  if (tokens != answer.end() && tokens->is_array() && tokens->size() == 1 &&
      (*tokens)[0].is_number_integer()) {
    server_.end_of_text_id = (*tokens)[0].get<int>();
  }
  return {};
}

/// Finds out by one token what would otherwise go wrong in the middle of a run.
Status Inquiry::TryCompletion() {
  CompletionWish wish;
  wish.prompt = "Hello";
  wish.sampling.temperature = 0;
  PLUMBLINE_ASSIGN(std::string body, CompletionBody(wish, server_));
  RemoteRequest request{"completion", {"POST", "/v1/completions", std::move(body)}, {}};
  const std::string where = pool_.Where(request);
  auto answer = pool_.Fetch(std::move(request));
  if (!answer.has_value()) {
    Error error = std::move(answer.error());
    if (error.code == ErrorCode::kNotFound) {
      error.hint =
          "this server may offer chat only; Plumbline needs /v1/completions, as vLLM, "
          "SGLang and llama-server have it";
    }
    return tl::unexpected<Error>(std::move(error));
  }
  PLUMBLINE_ASSIGN(const RemoteCompletion completion, ParseCompletion(*answer, 1, where));
  if (!completion.choices[0].steps.empty()) return {};
  return Fail(ErrorCode::kUnsupported, where + ": the server reports no log-probabilities",
              "use one that does: vLLM, SGLang, llama-server");
}

Result<ServerProfile> Inquiry::Run(const OpenAiOptions& options) {
  PLUMBLINE_TRY(FindModel(options.model));
  if (server_.kind != ServerKind::kLlamaServer) server_.max_completions = kMostCompletions;
  if (server_.kind == ServerKind::kLlamaServer) PLUMBLINE_TRY(AskLlamaServer());
  PLUMBLINE_TRY(TryCompletion());
  if (options.context_tokens > 0) server_.context_tokens = options.context_tokens;
  return server_;
}

}  // namespace
}  // namespace openai

Result<std::unique_ptr<LanguageModel>> ConnectOpenAi(const OpenAiOptions& options) {
  PLUMBLINE_TRY(openai::ValidateOptions(options));
  PLUMBLINE_ASSIGN(const openai::Endpoint endpoint, openai::ParseBaseUrl(options.base_url));
  PLUMBLINE_ASSIGN(std::string token, openai::BearerToken(options));
  auto pool = std::make_unique<openai::RequestPool>(
      endpoint, openai::PoolOptionsOf(options, std::move(token)));
  PLUMBLINE_ASSIGN(openai::ServerProfile server, openai::Inquiry(*pool).Run(options));
  openai::RemoteModel::Options model_options{options.top_log_probs,
                                             options.use_server_chat_template};
  return std::make_unique<openai::RemoteModel>(std::move(pool), std::move(server), model_options);
}

}  // namespace plumbline
