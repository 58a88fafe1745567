#include "plumbline/model/openai/completion_answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plumbline/model/openai/json_reader.h"

namespace plumbline::openai {
namespace {

using nlohmann::json;

/// A token of llama-server's list: {"id", "token", "bytes", "logprob"}.
Result<RemoteToken> ParseListedToken(const json& value, const JsonReader& reader) {
  RemoteToken token;
  PLUMBLINE_ASSIGN(token.text, reader.GetString(value, "token"));
  PLUMBLINE_ASSIGN(const json* log_prob, reader.Get(value, "logprob"));
  PLUMBLINE_ASSIGN(token.log_prob, reader.LogProb(*log_prob));
  if (const auto bytes = value.find("bytes"); bytes != value.end() && bytes->is_array()) {
    token.text.clear();
    for (const json& byte : *bytes) {
      PLUMBLINE_ASSIGN(const int code, reader.Count(byte, "bytes"));
      if (code > 255) return reader.Bad("'bytes' holds something larger than a byte");
      token.text.push_back(static_cast<char>(code));
    }
  }
  if (const auto id = value.find("id"); id != value.end()) {
    PLUMBLINE_ASSIGN(token.id, reader.Count(*id, "id"));
  }
  return token;
}

Result<std::vector<RemoteStep>> ParseObjectSteps(const json& content, const JsonReader& reader) {
  std::vector<RemoteStep> steps;
  for (const json& entry : content) {
    RemoteStep step;
    PLUMBLINE_ASSIGN(step.chosen, ParseListedToken(entry, reader));
    if (const auto top = entry.find("top_logprobs"); top != entry.end() && top->is_array()) {
      for (const json& alternative : *top) {
        PLUMBLINE_ASSIGN(RemoteToken token, ParseListedToken(alternative, reader));
        // llama-server strips what belongs to a stop string from the chosen token's text only.
        if (token.id.has_value() && token.id == step.chosen.id && step.chosen.text.empty()) {
          step.chosen.text = token.text;
        }
        step.top.push_back(std::move(token));
      }
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

/// The alternatives at one position: {"token text": log-probability, ...}, or null.
Result<std::vector<RemoteToken>> ParseTopMap(const json& map, const JsonReader& reader) {
  std::vector<RemoteToken> top;
  if (map.is_null()) return top;
  if (!map.is_object()) return reader.Bad("'top_logprobs' holds something that is no object");
  for (const auto& [text, value] : map.items()) {
    PLUMBLINE_ASSIGN(const double log_prob, reader.LogProb(value));
    top.push_back({text, std::nullopt, log_prob});
  }
  std::stable_sort(top.begin(), top.end(), [](const RemoteToken& a, const RemoteToken& b) {
    return a.log_prob > b.log_prob;
  });
  return top;
}

Result<std::vector<RemoteStep>> ParseParallelSteps(const json& log_probs,
                                                   const JsonReader& reader) {
  PLUMBLINE_ASSIGN(const json* tokens, reader.GetArray(log_probs, "tokens"));
  PLUMBLINE_ASSIGN(const json* values, reader.GetArray(log_probs, "token_logprobs"));
  if (tokens->size() != values->size()) {
    return reader.Bad("'tokens' and 'token_logprobs' differ in length");
  }
  const auto tops = log_probs.find("top_logprobs");
  const bool has_tops = tops != log_probs.end() && tops->is_array();
  if (has_tops && tops->size() != tokens->size()) {
    return reader.Bad("'tokens' and 'top_logprobs' differ in length");
  }
  std::vector<RemoteStep> steps;
  for (size_t i = 0; i < tokens->size(); ++i) {
    RemoteStep step;
    if (!(*tokens)[i].is_string()) return reader.Bad("'tokens' holds something that is no string");
    step.chosen.text = (*tokens)[i].get<std::string>();
    step.known = i > 0 || !(*values)[i].is_null();
    if (step.known) {
      PLUMBLINE_ASSIGN(step.chosen.log_prob, reader.LogProb((*values)[i]));
    }
    if (has_tops) {
      PLUMBLINE_ASSIGN(step.top, ParseTopMap((*tops)[i], reader));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<std::vector<RemoteStep>> ParseSteps(const json& choice, const std::string& text,
                                           const JsonReader& reader) {
  const auto log_probs = choice.find("logprobs");
  if (log_probs == choice.end() || log_probs->is_null()) {
    if (text.empty()) return std::vector<RemoteStep>();
    return reader.Bad("it has no log-probabilities, which were asked for by 'logprobs'");
  }
  const auto content = log_probs->is_object() ? log_probs->find("content") : log_probs->end();
  if (log_probs->is_object() && content != log_probs->end()) {
    if (!content->is_array()) return reader.Bad("'logprobs.content' is not a list");
    return ParseObjectSteps(*content, reader);
  }
  return ParseParallelSteps(*log_probs, reader);
}

/// What vLLM and llama-server say about why a text stopped, beyond "stop".
std::optional<bool> StoppedByString(const json& answer, const json& choice) {
  if (const auto reason = choice.find("stop_reason"); reason != choice.end()) {
    return reason->is_string();
  }
  if (const auto matched = choice.find("matched_stop"); matched != choice.end()) {
    return matched->is_string();
  }
  const auto verbose = answer.find("__verbose");
  if (verbose != answer.end() && verbose->is_object()) {
    const auto type = verbose->find("stop_type");
    if (type != verbose->end() && type->is_string()) return *type == "word";
  }
  return std::nullopt;
}

Result<RemoteChoice> ParseChoice(const json& answer, const json& value, const JsonReader& reader) {
  RemoteChoice choice;
  PLUMBLINE_ASSIGN(choice.text, reader.GetString(value, "text"));
  PLUMBLINE_ASSIGN(choice.steps, ParseSteps(value, choice.text, reader));
  PLUMBLINE_ASSIGN(const std::string reason, reader.GetString(value, "finish_reason"));
  if (reason != "stop" && reason != "length") {
    return reader.Bad("it finished for an unknown reason, '" + reason + "'");
  }
  choice.stopped = reason == "stop";
  if (choice.stopped) choice.by_stop_string = StoppedByString(answer, value);
  return choice;
}

Status ParseUsage(const json& answer, const JsonReader& reader, RemoteCompletion& completion) {
  const auto usage = answer.find("usage");
  if (usage == answer.end() || !usage->is_object()) return {};
  const auto count = [&](const json& object, const char* field, int64_t& out) -> Status {
    const auto found = object.find(field);
    if (found == object.end() || found->is_null()) return {};
    PLUMBLINE_ASSIGN(out, reader.Count(*found, field));
    return {};
  };
  PLUMBLINE_TRY(count(*usage, "prompt_tokens", completion.prompt_tokens));
  PLUMBLINE_TRY(count(*usage, "completion_tokens", completion.completion_tokens));
  const auto details = usage->find("prompt_tokens_details");
  if (details != usage->end() && details->is_object()) {
    PLUMBLINE_TRY(count(*details, "cached_tokens", completion.cached_tokens));
  }
  completion.cached_tokens = std::min(completion.cached_tokens, completion.prompt_tokens);
  return {};
}

}  // namespace

Result<RemoteCompletion> ParseCompletion(std::string_view body, int count,
                                         const std::string& where) {
  const JsonReader reader(where);
  PLUMBLINE_ASSIGN(const json answer, reader.Parse(body));
  PLUMBLINE_ASSIGN(const json* choices, reader.GetArray(answer, "choices"));
  if (choices->size() != static_cast<size_t>(count)) {
    return reader.Bad(std::to_string(count) + " completions were asked for by 'n', but it holds " +
                      std::to_string(choices->size()));
  }
  RemoteCompletion completion;
  completion.choices.resize(choices->size());
  std::vector<bool> seen(choices->size(), false);
  for (size_t i = 0; i < choices->size(); ++i) {
    size_t index = i;
    if (const auto given = (*choices)[i].find("index"); given != (*choices)[i].end()) {
      PLUMBLINE_ASSIGN(index, reader.Count(*given, "index"));
    }
    if (index >= seen.size() || seen[index]) return reader.Bad("'index' is out of order");
    seen[index] = true;
    PLUMBLINE_ASSIGN(completion.choices[index], ParseChoice(answer, (*choices)[i], reader));
  }
  PLUMBLINE_TRY(ParseUsage(answer, reader, completion));
  return completion;
}

}  // namespace plumbline::openai
