#include "plumbline/cli/answer_json.h"

#include <nlohmann/json.hpp>

#include "plumbline/core/text.h"

namespace plumbline {
namespace {

using Json = nlohmann::ordered_json;

std::string_view FinishName(FinishReason finish) {
  switch (finish) {
    case FinishReason::kLength:
      return "length";
    case FinishReason::kClause:
      return "clause";
    case FinishReason::kEndOfText:
      return "end_of_text";
    case FinishReason::kStopString:
      return "stop_string";
  }
  return "length";
}

std::string_view CauseName(StopCause cause) {
  switch (cause) {
    case StopCause::kFinished:
      return "finished";
    case StopCause::kMaxTokens:
      return "max_tokens";
    case StopCause::kTimeBudget:
      return "time_budget";
    case StopCause::kTokenBudget:
      return "token_budget";
  }
  return "finished";
}

Json MessagesJson(const Dialogue& dialogue) {
  Json messages = Json::array();
  for (const Message& message : dialogue) {
    messages.push_back({{"role", RoleName(message.role)}, {"content", message.text}});
  }
  return messages;
}

Json CandidateJson(const Candidate& candidate) {
  Json json;
  json["text"] = ToValidUtf8(candidate.text);
  json["tokens"] = candidate.tokens;
  json["finish"] = FinishName(candidate.finish);
  json["log_prob"] = candidate.log_prob;
  json["value"] = candidate.value ? Json(*candidate.value) : Json();
  return json;
}

Json UsageJson(const Usage& usage) {
  return {{"tokens_read", usage.tokens_read},         {"tokens_generated", usage.tokens_generated},
          {"tokens_reused", usage.tokens_reused},     {"tokens_reread", usage.tokens_reread},
          {"tokens_embedded", usage.tokens_embedded}, {"calls", usage.calls}};
}

}  // namespace

Json AnswerJson(const JobResult& result, const AnswerContext& context) {
  const Answer& answer = *result.answer;
  const PromptRecord& prompt = *result.job.prompt;
  Json json;
  json["schema"] = "plumbline.answer/1";
  json["key"] = result.job.key;
  json["index"] = prompt.index;
  if (!prompt.id.empty()) json["id"] = prompt.id;
  json["procedure"] = ProcedureName(result.job.procedure);
  json["model"] = context.model->name;
  if (!context.scorer.empty()) json["scorer"] = context.scorer;
  json["seed"] = context.seed;
  json["deterministic"] = context.model->deterministic;
  json["messages"] = MessagesJson(prompt.dialogue);
  json["answer"] = CandidateJson(answer.chosen);
  json["cause"] = CauseName(answer.cause);
  if (!answer.candidates.empty()) {
    json["candidates"] = Json::array();
    for (const Candidate& one : answer.candidates) json["candidates"].push_back(CandidateJson(one));
  }
  if (result.job.procedure == ProcedureKind::kRain) {
    json["search"] = {{"visits", answer.visits},
                      {"commits", answer.commits},
                      {"searched_commits", answer.searched_commits}};
  }
  json["usage"] = UsageJson(result.usage);
  json["seconds"] = result.seconds;
  return json;
}

}  // namespace plumbline
