#include "plumbline/search/trace.h"

#include <nlohmann/json.hpp>

#include "plumbline/core/text.h"

namespace plumbline {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const TraceEvaluation& evaluation) {
  return {{"rolled_text", ToValidUtf8(evaluation.rolled_text)},
          {"value", evaluation.value},
          {"good_probabilities", evaluation.good_probabilities}};
}

Json ToJson(const TraceNode& node) {
  Json json{{"id", node.id},
            {"parent", node.parent == kNoNode ? Json(nullptr) : Json(node.parent)},
            {"depth", node.depth},
            {"text", ToValidUtf8(node.text)},
            {"tokens", node.tokens},
            {"prior", node.prior},
            {"n", node.n},
            {"fn", node.fn},
            {"q", node.q},
            {"expanded", node.expanded},
            {"finished", node.finished}};
  if (node.evaluation) json["evaluation"] = ToJson(*node.evaluation);
  return json;
}

Json ToJson(const TraceVisit& visit) {
  return {{"search", visit.search},
          {"path", visit.path},
          {"value", visit.value},
          {"added", visit.added}};
}

Json ToJson(const TraceCommit& commit) {
  Json json{{"how", commit.how}, {"text", ToValidUtf8(commit.text)}, {"visits", commit.visits}};
  if (commit.node != kNoNode) json["node"] = commit.node;
  if (!commit.stopped_by.empty()) json["stopped_by"] = commit.stopped_by;
  if (commit.value) json["value"] = *commit.value;
  return json;
}

Json ToJson(const TraceDraft& draft) {
  return {{"text", ToValidUtf8(draft.text)},
          {"value", draft.value},
          {"good_probabilities", draft.good_probabilities},
          {"prefix_values", draft.prefix_values}};
}

Json ToJson(const Usage& usage) {
  return {{"tokens_read", usage.tokens_read},         {"tokens_generated", usage.tokens_generated},
          {"tokens_reused", usage.tokens_reused},     {"tokens_reread", usage.tokens_reread},
          {"tokens_embedded", usage.tokens_embedded}, {"calls", usage.calls}};
}

template <typename T>
Json ListToJson(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return list;
}

TraceEvaluation EvaluationFrom(const Json& json) {
  return {json.at("rolled_text"), json.at("value"),
          json.at("good_probabilities").get<std::vector<double>>()};
}

TraceNode NodeFrom(const Json& json) {
  TraceNode node;
  node.id = json.at("id");
  node.parent = json.at("parent").is_null() ? kNoNode : json.at("parent").get<NodeId>();
  node.depth = json.at("depth");
  node.text = json.at("text");
  node.tokens = json.at("tokens").get<std::vector<TokenId>>();
  node.prior = json.at("prior");
  node.n = json.at("n");
  node.fn = json.at("fn");
  node.q = json.at("q");
  node.expanded = json.at("expanded");
  node.finished = json.at("finished");
  if (json.contains("evaluation")) node.evaluation = EvaluationFrom(json["evaluation"]);
  return node;
}

TraceVisit VisitFrom(const Json& json) {
  return {json.at("search"), json.at("path").get<std::vector<NodeId>>(), json.at("value"),
          json.at("added").get<std::vector<NodeId>>()};
}

TraceCommit CommitFrom(const Json& json) {
  TraceCommit commit;
  commit.how = json.at("how");
  commit.text = json.at("text");
  commit.visits = json.at("visits");
  commit.node = json.value("node", kNoNode);
  commit.stopped_by = json.value("stopped_by", "");
  if (json.contains("value")) commit.value = json["value"].get<double>();
  return commit;
}

TraceDraft DraftFrom(const Json& json) {
  return {json.at("text"), json.at("value"),
          json.at("good_probabilities").get<std::vector<double>>(),
          json.at("prefix_values").get<std::vector<double>>()};
}

Usage UsageFrom(const Json& json) {
  Usage usage;
  usage.tokens_read = json.at("tokens_read");
  usage.tokens_generated = json.at("tokens_generated");
  usage.tokens_reused = json.at("tokens_reused");
  usage.tokens_reread = json.at("tokens_reread");
  usage.tokens_embedded = json.at("tokens_embedded");
  usage.calls = json.at("calls");
  return usage;
}

SearchTrace TraceFrom(const Json& json) {
  SearchTrace trace;
  trace.preset = json.at("preset");
  trace.model = json.at("model");
  trace.scorer = json.at("scorer");
  trace.key = std::stoull(json.at("key").get<std::string>());
  for (const Json& node : json.at("nodes")) trace.nodes.push_back(NodeFrom(node));
  for (const Json& visit : json.at("visits")) trace.visits.push_back(VisitFrom(visit));
  for (const Json& commit : json.at("commits")) trace.commits.push_back(CommitFrom(commit));
  for (const Json& draft : json.at("drafts")) trace.drafts.push_back(DraftFrom(draft));
  trace.answer = json.at("answer");
  trace.stop_cause = json.at("stop_cause");
  trace.usage = UsageFrom(json.at("usage"));
  trace.time_ms = json.at("time_ms");
  return trace;
}

}  // namespace

std::string TraceToJson(const SearchTrace& trace) {
  const Json json{{"schema", kTraceSchema},
                  {"preset", trace.preset},
                  {"model", ToValidUtf8(trace.model)},
                  {"scorer", ToValidUtf8(trace.scorer)},
                  {"key", std::to_string(trace.key)},
                  {"answer", ToValidUtf8(trace.answer)},
                  {"stop_cause", trace.stop_cause},
                  {"time_ms", trace.time_ms},
                  {"usage", ToJson(trace.usage)},
                  {"commits", ListToJson(trace.commits)},
                  {"drafts", ListToJson(trace.drafts)},
                  {"visits", ListToJson(trace.visits)},
                  {"nodes", ListToJson(trace.nodes)}};
  return json.dump();
}

Result<SearchTrace> TraceFromJson(std::string_view text) {
  // The JSON library throws; its exceptions end here.
  try {
    const Json json = Json::parse(text);
    const std::string schema = json.at("schema");
    if (schema != kTraceSchema) {
      return Fail(ErrorCode::kUnsupported, "trace schema '" + schema + "' isn't known",
                  "this build reads " + std::string(kTraceSchema));
    }
    return TraceFrom(json);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalidInput, std::string("trace: ") + error.what());
  }
}

}  // namespace plumbline
