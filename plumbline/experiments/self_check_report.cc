// The report of a self-check, for people and for programs.
#include <fmt/format.h>

#include <algorithm>

#include "plumbline/data/json_text.h"
#include "plumbline/experiments/self_check.h"

namespace plumbline {
namespace {

using nlohmann::ordered_json;

std::string WithInterval(const Interval& interval) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", interval.estimate, interval.low, interval.high);
}

ordered_json ToJson(const Interval& interval) {
  return {{"estimate", interval.estimate}, {"low", interval.low}, {"high", interval.high}};
}

ordered_json ToJson(const SelfCheckRow& row) {
  return {{"template", row.spec},
          {"criterion", row.criterion},
          {"content_free", ContentFreeName(row.content_free)},
          {"good", row.good},
          {"bad", row.bad},
          {"auc", ToJson(row.auc)},
          {"same_prompt", ToJson(row.same_prompt)},
          {"accuracy", ToJson(row.accuracy)},
          {"first_option_rate", row.first_option_rate},
          {"order_gap", row.order_gap},
          {"calibration_error", row.calibration_error},
          {"gain", row.calibration.gain},
          {"offset", row.calibration.offset},
          {"tokens_per_judgement", row.tokens_per_judgement},
          {"fixed_tokens", row.fixed_tokens},
          {"better_than_chance", row.BetterThanChance()},
          {"recommended", row.recommended}};
}

std::string Recommendation(const SelfCheckRow& row) {
  if (!row.BetterThanChance()) {
    return fmt::format(
        "{}: no wording is better than chance; don't align this model by its own "
        "judgement.\n",
        row.criterion);
  }
  return fmt::format("{}: use --align-to {} --content-free {}.\n", row.criterion, row.spec,
                     ContentFreeName(row.content_free));
}

}  // namespace

std::string FormatSelfCheck(const SelfCheckReport& report) {
  size_t width = 8;
  for (const SelfCheckRow& row : report.rows) width = std::max(width, row.spec.size());
  std::string text = fmt::format("Can {} judge replies?\n\n", report.model);
  text += fmt::format("  {:<{}}  {:<12}  {:>4}  {:<17}  {:<17}  {:<8}  {:<5}  {:<4}  {:<4}  {}\n",
                      "template", width, "content-free", "n", "AUC", "same prompt", "accuracy",
                      "first", "gap", "ECE", "tokens");
  for (const SelfCheckRow& row : report.rows) {
    text += fmt::format(
        "{} {:<{}}  {:<12}  {:>4}  {}  {}  {:<8.2f}  {:<5.2f}  {:<4.2f}  {:<4.2f}  {:.0f}\n",
        row.recommended ? '*' : ' ', row.spec, width, ContentFreeName(row.content_free),
        row.good + row.bad, WithInterval(row.auc), WithInterval(row.same_prompt),
        row.accuracy.estimate, row.first_option_rate, row.order_gap, row.calibration_error,
        row.tokens_per_judgement);
  }
  text += "\n";
  for (const SelfCheckRow& row : report.rows) {
    if (row.recommended) text += Recommendation(row);
  }
  for (const std::string& skipped : report.skipped) text += "skipped " + skipped + "\n";
  return text;
}

std::string SelfCheckJson(const SelfCheckReport& report) {
  ordered_json rows = ordered_json::array();
  for (const SelfCheckRow& row : report.rows) rows.push_back(ToJson(row));
  const ordered_json document = {{"schema", "plumbline.self-check"},
                                 {"version", 1},
                                 {"model", report.model},
                                 {"rows", std::move(rows)},
                                 {"skipped", report.skipped},
                                 {"tokens_read", report.usage.tokens_read}};
  return JsonLine(document);
}

}  // namespace plumbline
