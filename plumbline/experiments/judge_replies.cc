#include "plumbline/experiments/judge_replies.h"

#include <algorithm>
#include <filesystem>

#include "plumbline/core/check.h"
#include "plumbline/core/sha256.h"
#include "plumbline/data/json_text.h"
#include "plumbline/experiments/json_lines.h"
#include "plumbline/stats/calibration.h"
#include "plumbline/stats/rank.h"

namespace plumbline {
namespace {

using nlohmann::json;

// How many conversations are judged at once: enough to fill a batch, few enough to stay resident.
constexpr size_t kConversationsAtOnce = 4;

json MessagesJson(const Dialogue& dialogue) {
  json messages = json::array();
  for (const Message& message : dialogue) {
    messages.push_back({RoleName(message.role), message.text});
  }
  return messages;
}

std::string KeyOf(const Dialogue& dialogue, const std::string& reply) {
  return Sha256Hex(JsonLine(json{MessagesJson(dialogue), reply})).substr(0, 32);
}

// The conversation without content.
Dialogue Neutral() { return {{Role::kUser, std::string(kContentFreeText)}}; }

const std::vector<double>& Answer(const LogOddsByKey& log_odds, const std::string& key) {
  const auto found = log_odds.find(key);
  PLUMBLINE_CHECK(found != log_odds.end());
  return found->second;
}

// What is subtracted for replies to this dialogue.
std::vector<double> CorrectionOf(const Dialogue& dialogue, const LogOddsByKey& log_odds,
                                 ContentFree content_free) {
  const std::string nothing(kContentFreeText);
  switch (content_free) {
    case ContentFree::kNone:
      return {};
    case ContentFree::kTemplate:
      return Answer(log_odds, KeyOf(Neutral(), nothing));
    case ContentFree::kConversation:
      return Answer(log_odds, KeyOf(dialogue, nothing));
  }
  return {};
}

// The questions about one dialogue, which share its tokens.
using Conversation = std::vector<ReplyToJudge>;

std::vector<Conversation> GroupByDialogue(std::vector<ReplyToJudge> questions) {
  std::vector<Conversation> groups;
  std::unordered_map<std::string, size_t> places;
  for (ReplyToJudge& question : questions) {
    const std::string dialogue = JsonLine(MessagesJson(question.dialogue));
    const auto [place, is_new] = places.emplace(dialogue, groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(std::move(question));
  }
  return groups;
}

Task<Status> JudgeConversation(SelfEvaluation& judge, Conversation conversation,
                               const JudgedHook& judged, Call call) {
  Dialogue dialogue = conversation.front().dialogue;
  std::vector<std::string> replies;
  for (const ReplyToJudge& question : conversation) replies.push_back(question.reply);
  Result<std::vector<std::vector<double>>> log_odds =
      co_await judge.LogOdds(std::move(dialogue), std::move(replies), call);
  PLUMBLINE_CO_TRY(log_odds);
  for (size_t i = 0; i < conversation.size(); ++i) {
    const Status heard = judged(conversation[i], (*log_odds)[i]);
    PLUMBLINE_CO_TRY(heard);
  }
  co_return Status{};
}

}  // namespace

void JudgingQueue::Add(const Dialogue& dialogue, const std::string& reply) {
  Ask(dialogue, reply);
  const std::string nothing(kContentFreeText);
  if (content_free_ == ContentFree::kTemplate) Ask(Neutral(), nothing);
  if (content_free_ == ContentFree::kConversation) Ask(dialogue, nothing);
}

void JudgingQueue::Ask(const Dialogue& dialogue, const std::string& reply) {
  std::string key = KeyOf(dialogue, reply);
  if (keys_.insert(key).second) queue_.push_back({std::move(key), dialogue, reply});
}

std::vector<ReplyToJudge> JudgingQueue::Without(const LogOddsByKey& known) const {
  std::vector<ReplyToJudge> left;
  std::copy_if(queue_.begin(), queue_.end(), std::back_inserter(left),
               [&known](const ReplyToJudge& question) { return !known.contains(question.key); });
  return left;
}

Judgement JudgementOf(const Dialogue& dialogue, const std::string& reply,
                      const LogOddsByKey& log_odds, const SelfEvaluationOptions& options) {
  const std::vector<double> correction = CorrectionOf(dialogue, log_odds, options.content_free);
  return CombineOrders(Answer(log_odds, KeyOf(dialogue, reply)), correction, options);
}

Task<Status> JudgeReplies(SelfEvaluation& judge, std::vector<ReplyToJudge> questions,
                          const JudgedHook& judged, Call call) {
  std::vector<Conversation> conversations = GroupByDialogue(std::move(questions));
  for (size_t begin = 0; begin < conversations.size(); begin += kConversationsAtOnce) {
    const size_t end = std::min(begin + kConversationsAtOnce, conversations.size());
    std::vector<Task<Status>> tasks;
    for (size_t i = begin; i < end; ++i) {
      tasks.push_back(JudgeConversation(judge, std::move(conversations[i]), judged, call));
    }
    std::vector<Status> statuses = co_await WhenAll(std::move(tasks));
    for (const Status& status : statuses) PLUMBLINE_CO_TRY(status);
  }
  co_return Status{};
}

Result<JudgeQuality> MeasureJudge(std::span<const LabelledReply> labelled,
                                  const LogOddsByKey& log_odds,
                                  const SelfEvaluationOptions& options, double confidence) {
  SelfEvaluationOptions raw = options;
  raw.calibration = {};
  std::vector<double> values[2], mean_log_odds;
  std::vector<bool> outcomes;
  double right = 0;
  for (const LabelledReply& item : labelled) {
    const double value = JudgementOf(item.dialogue, item.reply, log_odds, raw).value;
    values[item.good].push_back(value);
    outcomes.push_back(item.good);
    right += value == 0 ? 0.5 : (value > 0) == item.good ? 1 : 0;
    const std::vector<double>& z = Answer(log_odds, KeyOf(item.dialogue, item.reply));
    const std::vector<double> correction = CorrectionOf(item.dialogue, log_odds, raw.content_free);
    double sum = 0;
    for (size_t order = 0; order < z.size(); ++order) {
      sum += z[order] - (correction.empty() ? 0 : correction[order]);
    }
    mean_log_odds.push_back(sum / static_cast<double>(z.size()));
  }
  const LogisticFit fit = FitLogistic(mean_log_odds, outcomes);
  if (fit.slope <= 0) {
    return Fail(ErrorCode::kUnsupported,
                "the judge can't be calibrated: it values bad replies above good ones",
                "choose another --judge-model or --judge; `plumbline check` compares them");
  }
  const auto count = static_cast<int>(labelled.size());
  return JudgeQuality{count, AucInterval(values[1], values[0], confidence),
                      WilsonInterval(right, count, confidence),
                      Calibration{fit.slope, fit.intercept}};
}

std::string WordingDigest(const EvaluationTemplate& wording) {
  json examples = json::array();
  for (const WorkedExample& example : wording.examples) {
    examples.push_back({MessagesJson(example.dialogue), example.good});
  }
  const json all = {wording.instruction,
                    examples,
                    wording.question,
                    wording.good,
                    wording.bad,
                    wording.answer_prefix,
                    wording.user_name,
                    wording.assistant_name,
                    static_cast<int>(wording.labels),
                    static_cast<int>(wording.form)};
  return Sha256Hex(JsonLine(all)).substr(0, 32);
}

Result<JudgementStore> JudgementStore::Open(const std::string& path, const json& settings) {
  PLUMBLINE_ASSIGN(RunStore run_store, RunStore::Open(path, settings));
  JudgementStore store(std::move(run_store));
  if (!std::filesystem::is_regular_file(path)) return store;
  bool header = true;
  const auto take = [&](const json& line) -> Status {
    if (std::exchange(header, false)) return {};
    PLUMBLINE_ASSIGN(std::string key, TextAt(line, "/key"));
    PLUMBLINE_ASSIGN(const double first, NumberAt(line, "/log_odds/0"));
    PLUMBLINE_ASSIGN(const double second, NumberAt(line, "/log_odds/1"));
    store.known_[std::move(key)] = {first, second};
    return {};
  };
  PLUMBLINE_TRY(ForEachJsonLine(path, take));
  return store;
}

Status JudgementStore::Append(const ReplyToJudge& question, const std::vector<double>& log_odds) {
  nlohmann::ordered_json line;
  line["schema"] = "plumbline.judgement/1";
  line["key"] = question.key;
  line["log_odds"] = log_odds;
  line["reply"] = question.reply;
  return store_.Append(line);
}

}  // namespace plumbline
