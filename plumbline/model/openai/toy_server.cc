#include "plumbline/model/openai/toy_server.h"

#include <cmath>

namespace plumbline::openai {
namespace {

using nlohmann::json;

struct ToyToken {
  const char* text;
  double probability;
};
constexpr ToyToken kTokens[] = {
    {" yes", 0.5}, {" no", 0.25}, {".", 0.125}, {" maybe", 0.0625}, {"</s>", 0.0625}};
constexpr size_t kEnd = 4;
/// Of every token of an echoed prompt but the first.
constexpr double kPromptLogProb = -2.5;

struct Lists {
  json tokens = json::array();
  json values = json::array();
  json tops = json::array();
  void Add(const std::string& token, json value, json top) {
    tokens.push_back(token);
    values.push_back(std::move(value));
    tops.push_back(std::move(top));
  }
};

json Top(size_t count) {
  json top = json::object();
  for (size_t i = 0; i < std::min<size_t>(count, 5); ++i) {
    top[kTokens[i].text] = std::log(kTokens[i].probability);
  }
  return top;
}

/// The prompt's words, each with the space before it, as tokens.
void Echo(const std::string& prompt, Lists& lists) {
  for (size_t begin = 0; begin < prompt.size();) {
    size_t end = prompt.find(' ', begin + 1);
    if (end == std::string::npos) end = prompt.size();
    lists.Add(prompt.substr(begin, end - begin), begin == 0 ? json() : json(kPromptLogProb),
              json());
    begin = end;
  }
}

json Choice(const json& body, size_t index) {
  const bool greedy = body["temperature"] == 0;
  const size_t start = greedy ? 0 : body.value("seed", size_t{0}) % 4 + index;
  Lists lists;
  std::string text;
  const bool echo = body.value("echo", false);
  if (echo) text = body["prompt"];
  if (echo) Echo(text, lists);
  bool ended = false;
  for (size_t i = 0; i < body["max_tokens"].get<size_t>() && !ended; ++i) {
    const size_t next = greedy ? 0 : (start + i) % 5;
    const ToyToken& token = kTokens[next];
    lists.Add(token.text, std::log(token.probability), Top(body["logprobs"]));
    ended = next == kEnd;
    if (!ended) text += token.text;
  }
  return {
      {"index", index},
      {"text", text},
      {"finish_reason", ended ? "stop" : "length"},
      {"stop_reason", nullptr},
      {"logprobs",
       {{"tokens", lists.tokens}, {"token_logprobs", lists.values}, {"top_logprobs", lists.tops}}}};
}

}  // namespace

json ToyCompletion(const json& body) {
  const size_t count = body.value("n", size_t{1});
  json choices = json::array();
  for (size_t i = 0; i < count; ++i) choices.push_back(Choice(body, i));
  return {{"choices", choices},
          {"usage",
           {{"prompt_tokens", 10},
            {"completion_tokens", count},
            {"prompt_tokens_details", {{"cached_tokens", 4}}}}}};
}

ToyServer::ToyServer(std::string owner)
    : models_({{{"id", "toy"}, {"owned_by", std::move(owner)}, {"max_model_len", 100}}}),
      server_([this](const MockRequest& request) { return Handle(request); }) {}

void ToyServer::SetOverride(const std::string& path, Override reply) {
  const std::scoped_lock lock(mutex_);
  overrides_.insert(overrides_.begin(), {path, std::move(reply)});
}

void ToyServer::SetModels(json models) {
  const std::scoped_lock lock(mutex_);
  models_ = std::move(models);
}

std::vector<json> ToyServer::Completions() const {
  std::vector<json> bodies;
  for (const MockRequest& request : server_.Seen()) {
    if (request.path == "/v1/completions") bodies.push_back(json::parse(request.body));
  }
  bodies.erase(bodies.begin());
  return bodies;
}

MockReply ToyServer::Handle(const MockRequest& request) {
  const json body = json::parse(request.body, nullptr, false);
  Override special;
  json models;
  {
    const std::scoped_lock lock(mutex_);
    models = models_;
    for (const auto& [path, reply] : overrides_) {
      if (path == request.path && !special) special = reply;
    }
  }
  if (special) return special(body);
  if (request.path == "/v1/models") return JsonReply(json{{"data", models}}.dump());
  if (request.path == "/v1/completions") return JsonReply(ToyCompletion(body).dump());
  return JsonReply(R"({"error":{"message":"no such path"}})", 404);
}

}  // namespace plumbline::openai
