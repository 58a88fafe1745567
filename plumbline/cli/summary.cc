#include "plumbline/cli/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumbline/cli/number_format.h"

namespace plumbline {
namespace {

std::string UsageText(const Usage& usage) {
  std::string text =
      fmt::format("tokens: {} read, {} generated, {} reused, {} re-read",
                  GroupDigits(usage.tokens_read), GroupDigits(usage.tokens_generated),
                  GroupDigits(usage.tokens_reused), GroupDigits(usage.tokens_reread));
  if (usage.tokens_embedded > 0) {
    text += fmt::format(", {} embedded", GroupDigits(usage.tokens_embedded));
  }
  return text;
}

double Rate(double count, double seconds) { return seconds > 0 ? count / seconds : 0; }

std::string WhyItEnded(const Answer& answer) {
  switch (answer.cause) {
    case StopCause::kFinished:
      return "";
    case StopCause::kMaxTokens:
      return ", cut at --max-tokens";
    case StopCause::kTimeBudget:
      return ", cut by --time-budget";
    case StopCause::kTokenBudget:
      return ", cut by --token-budget";
  }
  return "";
}

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

}  // namespace

std::string FormatAnswerSummary(const JobResult& result) {
  const Answer& answer = *result.answer;
  std::string text =
      fmt::format("{}: {} tokens in {} ({:.1f} tokens/s){}", ProcedureName(result.job.procedure),
                  answer.chosen.tokens, FormatSeconds(result.seconds),
                  Rate(answer.chosen.tokens, result.seconds), WhyItEnded(answer));
  if (answer.chosen.value) text += "; value " + FormatValue(*answer.chosen.value);
  if (!answer.candidates.empty()) text += fmt::format("; {} candidates", answer.candidates.size());
  if (result.job.procedure == ProcedureKind::kRain) {
    text += fmt::format("; {} visits, {} of {} commits searched", answer.visits,
                        answer.searched_commits, answer.commits);
  }
  return text + "\n" + UsageText(result.usage) + "\n";
}

void RunTotals::Add(const JobResult& result) {
  usage_ += result.usage;
  if (!result.answer) {
    ++failed_;
    return;
  }
  ++answered_;
  answer_tokens_ += result.answer->chosen.tokens;
  visits_ += result.answer->visits;
  if (result.answer->chosen.value) {
    value_sum_ += *result.answer->chosen.value;
    ++values_;
  }
}

std::string RunTotals::Format(double seconds) const {
  std::string text =
      fmt::format("{} answers in {} ({:.2f}/s), {} tokens ({:.1f} tokens/s)", answered_,
                  FormatSeconds(seconds), Rate(static_cast<double>(answered_), seconds),
                  GroupDigits(answer_tokens_), Rate(static_cast<double>(answer_tokens_), seconds));
  if (visits_ > 0) text += fmt::format(", {} visits", GroupDigits(visits_));
  if (values_ > 0) {
    text += ", mean value " + FormatValue(value_sum_ / static_cast<double>(values_));
  }
  if (failed_ > 0) text += fmt::format("; {} failed", failed_);
  return text + "\n" + UsageText(usage_) + "\n";
}

std::string FormatComparison(const std::vector<JobResult>& results) {
  std::vector<Row> rows = {
      {"procedure", "value", "tokens", "time", "tokens/s", "read", "reused", "visits"}};
  for (const JobResult& result : results) {
    if (!result.answer) continue;
    const Candidate& chosen = result.answer->chosen;
    rows.push_back({std::string(ProcedureName(result.job.procedure)),
                    chosen.value ? FormatValue(*chosen.value) : "-", std::to_string(chosen.tokens),
                    FormatSeconds(result.seconds),
                    fmt::format("{:.1f}", Rate(chosen.tokens, result.seconds)),
                    GroupDigits(result.usage.tokens_read), GroupDigits(result.usage.tokens_reused),
                    result.answer->visits > 0 ? GroupDigits(result.answer->visits) : "-"});
  }
  return AlignRows(rows);
}

}  // namespace plumbline
