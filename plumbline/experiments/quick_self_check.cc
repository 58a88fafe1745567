// A self-check small enough to run before a search, remembered per model and wording.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumbline/core/atomic_file.h"
#include "plumbline/core/posix_file.h"
#include "plumbline/core/sha256.h"
#include "plumbline/data/json_text.h"
#include "plumbline/experiments/self_check.h"
#include "plumbline/stats/calibration.h"
#include "plumbline/stats/rank.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr double kConfidence = 0.95;

std::string Described(const EvaluationTemplate& wording) {
  json examples = json::array();
  for (const WorkedExample& example : wording.examples) {
    json turns = json::array();
    for (const Message& message : example.dialogue) turns.push_back(message.text);
    examples.push_back({example.good, std::move(turns)});
  }
  return JsonLine(json{wording.Spec(), wording.criterion, wording.instruction, wording.question,
                       wording.good, wording.bad, wording.answer_prefix, wording.user_name,
                       wording.assistant_name, static_cast<int>(wording.labels),
                       static_cast<int>(wording.form), std::move(examples)});
}

// Where the result of just this question to just this model is kept; empty: nowhere.
std::string CachePath(const QuickSelfCheckOptions& options,
                      const std::vector<LabelledReply>& items) {
  if (options.cache_dir.empty() || options.model_key.empty()) return "";
  const SelfEvaluationOptions& evaluation = options.evaluation;
  std::string key = options.model_key + '\n' + Described(options.evaluation_template) + '\n';
  key += fmt::format("{} {} {} {}\n", ValueKindName(evaluation.value),
                     ContentFreeName(evaluation.content_free), evaluation.calibration.gain,
                     evaluation.calibration.offset);
  for (const LabelledReply& item : items) key += item.reply + '\n';
  return options.cache_dir + "/self-check-" + Sha256Hex(key).substr(0, 32) + ".json";
}

// What is unreadable counts as absent: the check then runs again.
std::optional<QuickSelfCheckResult> ReadCached(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const Result<std::string> text = ReadWholeFile(path);
  if (!text.has_value()) return std::nullopt;
  const Result<json> value = ParseJson(*text);
  if (!value.has_value() || !value->is_object()) return std::nullopt;
  QuickSelfCheckResult result;
  result.from_cache = true;
  for (const auto& [name, field] :
       {std::pair("auc", &result.auc.estimate), std::pair("low", &result.auc.low),
        std::pair("high", &result.auc.high), std::pair("gain", &result.calibration.gain),
        std::pair("offset", &result.calibration.offset)}) {
    if (!value->contains(name) || !(*value)[name].is_number()) return std::nullopt;
    *field = (*value)[name].get<double>();
  }
  return result;
}

void WriteCached(const std::string& path, const QuickSelfCheckResult& result) {
  if (path.empty()) return;
  const json value = {{"auc", result.auc.estimate},
                      {"low", result.auc.low},
                      {"high", result.auc.high},
                      {"gain", result.calibration.gain},
                      {"offset", result.calibration.offset}};
  // A result that can't be kept costs the next run a few seconds, and nobody an answer.
  (void)WriteFileAtomically(path, JsonLine(value) + "\n");
}

std::string Warning(const QuickSelfCheckOptions& options, const std::string& model,
                    const Interval& auc, size_t items) {
  if (auc.low > 0.5) return "";
  return fmt::format(
      "{} judging by template '{}' is no better than chance: area under the curve {:.2f}, {:.0f} % "
      "interval {:.2f} to {:.2f}, on {} labelled replies; `plumbline check` compares wordings",
      model, options.evaluation_template.Spec(), auc.estimate, 100 * kConfidence, auc.low, auc.high,
      items);
}

// Every item's value, in order; items are good-bad pairs with one dialogue each.
Task<Result<std::vector<double>>> Values(SelfEvaluation& scorer,
                                         const std::vector<LabelledReply>& items, Call call) {
  std::vector<double> values;
  for (size_t i = 0; i < items.size();) {
    std::vector<std::string> replies;
    const Dialogue& dialogue = items[i].dialogue;
    for (; i < items.size() && items[i].dialogue == dialogue; ++i) {
      replies.push_back(items[i].reply);
    }
    Result<std::vector<Judgement>> judged =
        co_await scorer.Score(dialogue, std::move(replies), call);
    PLUMBLINE_CO_TRY(judged);
    for (const Judgement& judgement : *judged) values.push_back(judgement.value);
  }
  co_return values;
}

QuickSelfCheckResult Summarise(const std::vector<LabelledReply>& items,
                               const std::vector<double>& values) {
  std::vector<double> by_label[2];
  std::vector<double> log_odds;
  std::vector<bool> outcomes;
  constexpr double kLargest = 1 - 1e-9;  // keeps the log-odds of a saturated value finite
  for (size_t i = 0; i < items.size(); ++i) {
    by_label[items[i].good].push_back(values[i]);
    log_odds.push_back(2 * std::atanh(std::clamp(values[i], -kLargest, kLargest)));
    outcomes.push_back(items[i].good);
  }
  QuickSelfCheckResult result;
  result.auc = AucInterval(by_label[1], by_label[0], kConfidence);
  const LogisticFit fit = FitLogistic(log_odds, outcomes);
  if (fit.slope > 0) result.calibration = {fit.slope, fit.intercept};
  return result;
}

}  // namespace

Task<Result<std::optional<QuickSelfCheckResult>>> QuickSelfCheck(LanguageModel& model,
                                                                 QuickSelfCheckOptions options,
                                                                 Call call) {
  PLUMBLINE_CO_ASSIGN(std::vector<LabelledReply> items,
                      LoadCheckSet(options.evaluation_template.criterion));
  if (items.empty()) co_return std::optional<QuickSelfCheckResult>();
  items = BalancedSubset(std::move(items), std::max(options.items, 8));
  const std::string path = CachePath(options, items);
  std::optional<QuickSelfCheckResult> result = ReadCached(path);
  if (!result.has_value()) {
    PLUMBLINE_CO_ASSIGN(
        std::unique_ptr<SelfEvaluation> scorer,
        SelfEvaluation::Create(model, options.evaluation_template, options.evaluation));
    Result<std::vector<double>> values = co_await Values(*scorer, items, call);
    PLUMBLINE_CO_TRY(values);
    result = Summarise(items, *values);
    WriteCached(path, *result);
  }
  result->warning = Warning(options, model.info().name, result->auc, items.size());
  co_return result;
}

}  // namespace plumbline
