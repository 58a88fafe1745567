#include "plumbline/experiments/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace plumbline {
namespace {

using nlohmann::ordered_json;
using Row = std::vector<std::string>;

// Numbers to the right, the first column to the left.
std::string AlignRows(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (size_t i = 1; i < row.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    text += line + "\n";
  }
  return text;
}

std::string Rate(const Interval& rate) {
  return fmt::format("{:.1f} [{:.1f}, {:.1f}]", 100 * rate.estimate, 100 * rate.low,
                     100 * rate.high);
}

std::string RateDifference(const Interval& rate) {
  return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", 100 * rate.estimate, 100 * rate.low,
                     100 * rate.high);
}

std::string Value(const Interval& value) {
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", value.estimate, value.low, value.high);
}

std::string PValue(double p) { return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p); }

std::string DescribeJudge(const CompareReport& report) {
  const JudgeDescription& judge = report.judge;
  std::string text =
      fmt::format("judge: {}, template {}, {} values, content-free {}; good: value > {}\n",
                  judge.model, judge.wording, ValueKindName(judge.evaluation.value),
                  ContentFreeName(judge.evaluation.content_free), report.options.threshold);
  if (judge.quality) {
    const JudgeQuality& quality = *judge.quality;
    text += fmt::format(
        "on {} labelled replies: AUC {:.2f} [{:.2f}, {:.2f}], accuracy {:.2f}; calibrated on them: "
        "gain {:.2f}, offset {:+.2f}\n",
        quality.replies, quality.auc.estimate, quality.auc.low, quality.auc.high,
        quality.accuracy.estimate, quality.calibration.gain, quality.calibration.offset);
  }
  return text;
}

std::string RunTable(const std::vector<RunSummary>& runs) {
  std::vector<Row> rows = {
      {"run", "answers", "good, %", "mean value", "tokens", "tokens read", "seconds"}};
  for (const RunSummary& run : runs) {
    rows.push_back({run.name, std::to_string(run.answers), Rate(run.good_rate), Value(run.value),
                    fmt::format("{:.1f}", run.tokens), fmt::format("{:.0f}", run.tokens_read),
                    fmt::format("{:.2f}", run.seconds)});
  }
  return AlignRows(rows);
}

std::string PairedTable(const std::vector<PairedSummary>& paired) {
  std::vector<Row> rows = {{"against " + paired.front().baseline, "pairs", "missing",
                            "good, points", "better/worse", "p", "mean value", "p"}};
  for (const PairedSummary& one : paired) {
    rows.push_back({one.name, std::to_string(one.pairs), std::to_string(one.missing),
                    RateDifference(one.good_difference),
                    fmt::format("{}/{}", one.turned_good, one.turned_bad), PValue(one.good_p),
                    Value(one.value_difference), PValue(one.value_p)});
  }
  return AlignRows(rows);
}

ordered_json ToJson(const Interval& interval) {
  return {{"estimate", interval.estimate}, {"low", interval.low}, {"high", interval.high}};
}

ordered_json ToJson(const RunSummary& run) {
  return {{"name", run.name},
          {"answers", run.answers},
          {"good", run.good},
          {"good_rate", ToJson(run.good_rate)},
          {"value", ToJson(run.value)},
          {"tokens", run.tokens},
          {"tokens_read", run.tokens_read},
          {"seconds", run.seconds}};
}

ordered_json ToJson(const PairedSummary& one) {
  return {{"name", one.name},
          {"baseline", one.baseline},
          {"pairs", one.pairs},
          {"missing", one.missing},
          {"turned_good", one.turned_good},
          {"turned_bad", one.turned_bad},
          {"good_difference", ToJson(one.good_difference)},
          {"good_p", one.good_p},
          {"value_difference", ToJson(one.value_difference)},
          {"value_p", one.value_p}};
}

ordered_json ToJson(const JudgeDescription& judge) {
  ordered_json json = {{"model", judge.model},
                       {"template", judge.wording},
                       {"value", ValueKindName(judge.evaluation.value)},
                       {"content_free", ContentFreeName(judge.evaluation.content_free)},
                       {"gain", judge.evaluation.calibration.gain},
                       {"offset", judge.evaluation.calibration.offset}};
  if (judge.quality) {
    json["labelled_replies"] = judge.quality->replies;
    json["auc"] = ToJson(judge.quality->auc);
    json["accuracy"] = ToJson(judge.quality->accuracy);
  }
  return json;
}

}  // namespace

std::string FormatCompareReport(const CompareReport& report) {
  std::string text = DescribeJudge(report) + "\n" + RunTable(report.comparison.runs);
  if (!report.comparison.paired.empty()) text += "\n" + PairedTable(report.comparison.paired);
  text += fmt::format(
      "\n[,]: {:.0f} % intervals: Wilson's for rates, bootstrap over prompts otherwise. p: "
      "McNemar's exact\ntest for rates, sign-flip permutation for values, both two-sided. tokens, "
      "tokens read, seconds: of an\nanswer on average; prompts answered at once shared the "
      "machine.\n",
      100 * report.options.confidence);
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

std::string CompareReportJson(const CompareReport& report) {
  ordered_json json;
  json["schema"] = "plumbline.comparison/1";
  json["judge"] = ToJson(report.judge);
  json["threshold"] = report.options.threshold;
  json["confidence"] = report.options.confidence;
  json["runs"] = ordered_json::array();
  for (const RunSummary& run : report.comparison.runs) json["runs"].push_back(ToJson(run));
  json["paired"] = ordered_json::array();
  for (const PairedSummary& one : report.comparison.paired) json["paired"].push_back(ToJson(one));
  json["notes"] = report.notes;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace plumbline
