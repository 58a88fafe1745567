#include "plumbline/model/openai/remote_model.h"

#include <algorithm>
#include <cmath>

#include "plumbline/core/check.h"
#include "plumbline/core/text.h"
#include "plumbline/model/openai/json_reader.h"

namespace plumbline::openai {
namespace {

using nlohmann::json;

constexpr size_t kTextsPerEmbeddingRequest = 64;

/// English text of common vocabularies; only where a server neither counts nor tokenises.
constexpr size_t kBytesPerTokenGuess = 4;

int GuessTokens(std::string_view text) {
  return static_cast<int>((text.size() + kBytesPerTokenGuess - 1) / kBytesPerTokenGuess);
}

ModelInfo InfoOf(const ServerProfile& server, const Endpoint& endpoint) {
  ModelInfo info;
  info.name = server.model;
  info.description = std::string(ServerKindName(server.kind)) + " at " + endpoint.Url("");
  info.vocabulary_size = server.vocabulary_size;
  info.context_tokens = server.context_tokens;
  info.has_chat_template = server.has_chat_template;
  info.deterministic = false;
  info.determinism_note =
      "a remote model draws with its own random numbers: every request carries a seed that follows "
      "from yours, but batching in the server moves probabilities by rounding, so the same seed "
      "may give another answer under another load, server or version";
  return info;
}

Result<std::vector<float>> ParseEmbedding(const json& item, const JsonReader& reader) {
  PLUMBLINE_ASSIGN(const json* values, reader.GetArray(item, "embedding"));
  std::vector<float> embedding;
  double square = 0;
  for (const json& value : *values) {
    PLUMBLINE_ASSIGN(const double number, reader.Number(value, "embedding"));
    embedding.push_back(static_cast<float>(number));
    square += number * number;
  }
  if (!std::isfinite(square) || square <= 0) return reader.Bad("an embedding has no length");
  const double scale = 1 / std::sqrt(square);
  for (float& value : embedding) value = static_cast<float>(value * scale);
  return embedding;
}

/// Appends the embeddings of one answer to `all`; returns the tokens read for them.
Result<int> ParseEmbeddings(std::string_view body, size_t count, const std::string& where,
                            std::vector<std::vector<float>>& all) {
  const JsonReader reader(where);
  PLUMBLINE_ASSIGN(const json answer, reader.Parse(body));
  PLUMBLINE_ASSIGN(const json* data, reader.GetArray(answer, "data"));
  if (data->size() != count) {
    return reader.Bad(std::to_string(count) + " embeddings were asked for, but it holds " +
                      std::to_string(data->size()));
  }
  std::vector<std::vector<float>> embeddings(count);
  for (const json& item : *data) {
    PLUMBLINE_ASSIGN(const json* index, reader.Get(item, "index"));
    PLUMBLINE_ASSIGN(const int place, reader.Count(*index, "index"));
    if (static_cast<size_t>(place) >= count || !embeddings[static_cast<size_t>(place)].empty()) {
      return reader.Bad("'index' is out of order");
    }
    PLUMBLINE_ASSIGN(embeddings[static_cast<size_t>(place)], ParseEmbedding(item, reader));
    if (embeddings[static_cast<size_t>(place)].size() != embeddings[0].size() && place != 0 &&
        !embeddings[0].empty()) {
      return reader.Bad("embeddings differ in length");
    }
  }
  all.insert(all.end(), std::make_move_iterator(embeddings.begin()),
             std::make_move_iterator(embeddings.end()));
  const auto usage = answer.find("usage");
  if (usage == answer.end() || !usage->contains("prompt_tokens")) return 0;
  return reader.Count((*usage)["prompt_tokens"], "prompt_tokens");
}

}  // namespace

RemoteModel::RemoteModel(std::unique_ptr<RequestPool> pool, ServerProfile server, Options options)
    : server_(std::move(server)),
      options_(options),
      info_(InfoOf(server_, pool->endpoint())),
      pool_(std::move(pool)),
      calls_(*pool_) {
  if (!server_.has_chat_template) return;
  auto apply = [this](std::string body) {
    return pool_->Fetch({"chat template", {"POST", "/apply-template", std::move(body)}, {}});
  };
  chat_template_ = std::make_unique<ChatTemplate>(
      std::move(apply), "chat template request to " + pool_->endpoint().Url("/apply-template"));
}

PathPtr RemoteModel::PathOf(const Branch& branch) {
  PLUMBLINE_CHECK(branch.valid());
  auto path = std::dynamic_pointer_cast<const PathState>(branch.state());
  PLUMBLINE_CHECK(path != nullptr);
  return path;
}

Result<Prompt> RemoteModel::FormatChat(const Dialogue& dialogue, const ChatStyle& style) const {
  PLUMBLINE_TRY(ValidateDialogue(dialogue));
  const bool by_template = style.kind == ChatStyle::Kind::kAuto && chat_template_ != nullptr &&
                           options_.use_server_chat_template;
  if (!by_template) return FormatPlainChat(dialogue, style);
  return chat_template_->Format(dialogue);
}

RemoteRequest RemoteModel::MakeRequest(std::string kind, std::string path, std::string body,
                                       const Call& call) const {
  return {std::move(kind), {"POST", std::move(path), std::move(body)}, call.stop};
}

RemoteRequest RemoteModel::TokenizeRequest(const Stretch& stretch, const Call& call) const {
  const json body = server_.kind == ServerKind::kVllm
                        ? json{{"model", server_.model},
                               {"prompt", stretch.piece.text},
                               {"add_special_tokens", stretch.first}}
                        : json{{"content", stretch.piece.text},
                               {"add_special", stretch.first},
                               {"parse_special", stretch.piece.special}};
  return MakeRequest("tokenize", "/tokenize", DumpJson(body), call);
}

Result<std::vector<TokenId>> RemoteModel::ParseTokens(std::string_view body) const {
  const std::string where = "tokenize request to " + pool_->endpoint().Url("/tokenize");
  const JsonReader reader(where);
  PLUMBLINE_ASSIGN(const json answer, reader.Parse(body));
  PLUMBLINE_ASSIGN(const json* tokens, reader.GetArray(answer, "tokens"));
  std::vector<TokenId> ids;
  for (const json& token : *tokens) {
    PLUMBLINE_ASSIGN(const int id, reader.Count(token, "tokens"));
    ids.push_back(id);
  }
  return ids;
}

Result<int> RemoteModel::CountTokens(std::string_view text) const {
  if (!server_.has_tokenizer()) {
    return Fail(ErrorCode::kUnsupported,
                info_.description + " can't count tokens: it has no POST /tokenize",
                "use vLLM or llama-server where exact counts matter");
  }
  if (text.empty()) return 0;
  PLUMBLINE_ASSIGN(const std::string body,
                   pool_->Fetch(TokenizeRequest({{std::string(text), false}, false}, {})));
  PLUMBLINE_ASSIGN(const std::vector<TokenId> ids, ParseTokens(body));
  return static_cast<int>(ids.size());
}

Result<Branch> RemoteModel::Open(const Prompt& prompt) {
  if (PromptText(prompt).empty()) {
    return Fail(ErrorCode::kInvalidInput, "the prompt is empty", "write something to answer to");
  }
  return Append(Branch(), prompt);
}

Result<Branch> RemoteModel::Append(const Branch& branch, const Prompt& more) {
  PathPtr path = branch.valid() ? PathOf(branch) : nullptr;
  for (const PromptPiece& piece : more) {
    if (!piece.text.empty()) path = std::make_shared<PathState>(path, piece);
  }
  PLUMBLINE_CHECK(path != nullptr);
  return Branch(std::const_pointer_cast<PathState>(path));
}

int RemoteModel::Length(const Branch& branch) const {
  int length = 0;
  for (const PathPtr& stretch : Stretches(PathOf(branch))) {
    if (!stretch->count().has_value() && server_.has_tokenizer()) {
      const auto body = pool_->Fetch(TokenizeRequest({stretch->piece(), stretch->first()}, {}));
      if (body.has_value()) {
        if (auto ids = ParseTokens(*body)) {
          if (server_.speaks_token_ids())
            stretch->LearnIds(std::move(*ids));
          else
            stretch->LearnCount(static_cast<int>(ids->size()));
        }
      }
    }
    length += stretch->count().value_or(GuessTokens(stretch->piece().text));
  }
  return length;
}

Result<Branch> RemoteModel::AppendToken(const Branch& branch, TokenId token) {
  const std::string* text = tokens_.TextOf(token);
  if (text == nullptr) {
    return Fail(ErrorCode::kInvalidArgument,
                "token " + std::to_string(token) + " is none that this model returned");
  }
  if (server_.speaks_token_ids()) {
    return Branch(std::make_shared<PathState>(PathOf(branch), *text, std::vector<TokenId>{token}));
  }
  if (text->empty() || *text == tokens_.end_of_text()) {
    return Fail(ErrorCode::kUnsupported,
                "nothing can follow the end of text on " + info_.description);
  }
  return Branch(std::make_shared<PathState>(PathOf(branch), *text, 1));
}

Task<Result<RemoteModel::TokenLists>> RemoteModel::Tokenize(std::vector<Stretch> stretches,
                                                            Call call) {
  TokenLists lists(stretches.size());
  std::map<Stretch, std::vector<TokenId>> fresh;
  for (size_t i = 0; i < stretches.size(); ++i) {
    const auto known = tokenized_.find(stretches[i]);
    if (known == tokenized_.end()) {
      fresh[stretches[i]] = {};
    } else {
      lists[i] = known->second;  // now: it may be forgotten while we wait
    }
  }
  std::vector<RemoteRequest> requests;
  for (const auto& [stretch, ids] : fresh) requests.push_back(TokenizeRequest(stretch, call));
  const auto bodies = co_await calls_.FetchAll(std::move(requests));
  if (!bodies.has_value()) co_return FailWith(bodies);
  size_t next = 0;
  for (auto& [stretch, ids] : fresh) {
    auto parsed = ParseTokens((*bodies)[next++]);
    if (!parsed.has_value()) co_return FailWith(parsed);
    ids = std::move(*parsed);
  }
  for (size_t i = 0; i < stretches.size(); ++i) {
    const auto asked = fresh.find(stretches[i]);
    if (asked != fresh.end()) lists[i] = asked->second;
  }
  if (tokenized_.size() >= kRememberedTexts) tokenized_.clear();
  tokenized_.merge(fresh);
  co_return lists;
}

Task<Status> RemoteModel::Prepare(std::vector<PathPtr> paths, Call call) {
  if (!server_.speaks_token_ids()) co_return Status();
  std::vector<PathPtr> unknown;
  std::vector<Stretch> stretches;
  for (const PathPtr& path : paths) {
    for (PathPtr at = path; at != nullptr; at = at->parent()) {
      if (at->ids().has_value()) continue;
      unknown.push_back(at);
      stretches.push_back({at->piece(), at->first()});
    }
  }
  auto lists = co_await Tokenize(std::move(stretches), call);
  if (!lists.has_value()) co_return FailWith(lists);
  for (size_t i = 0; i < unknown.size(); ++i) unknown[i]->LearnIds(std::move((*lists)[i]));
  co_return Status();
}

json RemoteModel::PromptOf(const PathPtr& path) const {
  if (server_.speaks_token_ids()) return PathIds(path);
  return PathText(path);
}

std::string RemoteModel::CompletionWhere() const {
  return "completion request to " + pool_->endpoint().Url("/v1/completions");
}

Task<Result<std::vector<RemoteCompletion>>> RemoteModel::Complete(
    std::vector<CompletionWish> wishes, Call call) {
  std::vector<RemoteRequest> requests;
  for (const CompletionWish& wish : wishes) {
    auto body = CompletionBody(wish, server_);
    if (!body.has_value()) co_return FailWith(body);
    requests.push_back(MakeRequest("completion", "/v1/completions", std::move(*body), call));
  }
  const auto bodies = co_await calls_.FetchAll(std::move(requests));
  if (!bodies.has_value()) co_return FailWith(bodies);
  std::vector<RemoteCompletion> completions;
  for (size_t i = 0; i < wishes.size(); ++i) {
    auto completion = ParseCompletion((*bodies)[i], wishes[i].count, CompletionWhere());
    if (!completion.has_value()) co_return FailWith(completion);
    CountUsage(wishes[i], *completion, call);
    completions.push_back(std::move(*completion));
  }
  co_return completions;
}

void RemoteModel::CountUsage(const CompletionWish& wish, const RemoteCompletion& completion,
                             const Call& call) const {
  if (call.usage == nullptr) return;
  int64_t prompt = completion.prompt_tokens;
  if (prompt == 0) {
    prompt = wish.prompt.is_string() ? GuessTokens(wish.prompt.get_ref<const std::string&>())
                                     : static_cast<int64_t>(wish.prompt.size());
  }
  // llama-server counts only one completion of n, so the steps are counted as well.
  int64_t steps = 0;
  for (const RemoteChoice& choice : completion.choices) {
    steps += static_cast<int64_t>(choice.steps.size());
  }
  const int64_t generated =
      wish.echo ? completion.completion_tokens : std::max(steps, completion.completion_tokens);
  call.usage->tokens_generated += generated;
  call.usage->tokens_reused += completion.cached_tokens;
  // The last token of each completion is drawn but not read.
  call.usage->tokens_read +=
      prompt - completion.cached_tokens + std::max<int64_t>(0, generated - wish.count);
}

Task<Result<std::vector<std::vector<float>>>> RemoteModel::Embed(std::vector<std::string> texts,
                                                                 Call call) {
  if (call.usage != nullptr) ++call.usage->calls;
  std::vector<RemoteRequest> requests;
  std::vector<size_t> counts;
  for (size_t begin = 0; begin < texts.size(); begin += kTextsPerEmbeddingRequest) {
    const size_t end = std::min(begin + kTextsPerEmbeddingRequest, texts.size());
    json input = json::array();
    for (size_t i = begin; i < end; ++i) input.push_back(texts[i]);
    const json body = {
        {"model", server_.model}, {"input", std::move(input)}, {"encoding_format", "float"}};
    requests.push_back(MakeRequest("embedding", "/v1/embeddings", DumpJson(body), call));
    counts.push_back(end - begin);
  }
  auto bodies = co_await calls_.FetchAll(std::move(requests));
  if (!bodies.has_value()) {
    Error error = std::move(bodies.error());
    if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnsupported) {
      error.code = ErrorCode::kUnsupported;
      error.hint =
          "this server offers no embeddings: name an embedding model of its own "
          "(llama-server: one started with --embeddings; vLLM: one that serves an "
          "embedding model)";
    }
    co_return tl::unexpected<Error>(std::move(error));
  }
  std::vector<std::vector<float>> embeddings;
  const std::string where = "embedding request to " + pool_->endpoint().Url("/v1/embeddings");
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto tokens = ParseEmbeddings((*bodies)[i], counts[i], where, embeddings);
    if (!tokens.has_value()) co_return FailWith(tokens);
    if (call.usage != nullptr) call.usage->tokens_embedded += *tokens;
  }
  co_return embeddings;
}

}  // namespace plumbline::openai
