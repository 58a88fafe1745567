#include "plumbline/experiments/compare_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plumbline/experiments/compare_report.h"
#include "plumbline/stats/paired.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

JudgedRun RunOf(const std::string& name, const std::vector<double>& values) {
  JudgedRun run{name, {}};
  for (size_t i = 0; i < values.size(); ++i) {
    const auto number = static_cast<double>(i);
    run.answers.push_back({std::to_string(i), values[i], 10 + number, 100, 0.5});
  }
  return run;
}

TEST(CompareRuns, CountsGoodAnswersAboveTheThreshold) {
  ComparisonOptions options;
  options.threshold = 0.2;
  const Comparison comparison = CompareRuns({RunOf("a", {0.2, 0.3, -0.5, 0.9})}, options);
  ASSERT_EQ(comparison.runs.size(), 1u);
  EXPECT_TRUE(comparison.paired.empty());
  const RunSummary& run = comparison.runs[0];
  EXPECT_EQ(run.answers, 4);
  EXPECT_EQ(run.good, 2);
  EXPECT_DOUBLE_EQ(run.good_rate.low, WilsonInterval(2, 4, 0.95).low);
  EXPECT_NEAR(run.value.estimate, 0.225, 1e-12);
  EXPECT_LT(run.value.low, run.value.estimate);
  EXPECT_GT(run.value.high, run.value.estimate);
  EXPECT_DOUBLE_EQ(run.tokens, 11.5);
  EXPECT_DOUBLE_EQ(run.tokens_read, 100);
  EXPECT_DOUBLE_EQ(run.seconds, 0.5);
}

TEST(CompareRuns, ComparesPromptByPromptWithTheFirst) {
  const JudgedRun first = RunOf("first", {-0.5, -0.5, -0.5, 0.5, 0.5});
  const JudgedRun second = RunOf("second", {0.5, 0.5, 0.25, -0.5, 0.75});
  const Comparison comparison = CompareRuns({first, second}, {});
  ASSERT_EQ(comparison.paired.size(), 1u);
  const PairedSummary& paired = comparison.paired[0];
  EXPECT_EQ(paired.name, "second");
  EXPECT_EQ(paired.baseline, "first");
  EXPECT_EQ(paired.pairs, 5);
  EXPECT_EQ(paired.missing, 0);
  EXPECT_EQ(paired.turned_good, 3);
  EXPECT_EQ(paired.turned_bad, 1);
  EXPECT_NEAR(paired.good_difference.estimate, 0.4, 1e-12);
  EXPECT_DOUBLE_EQ(paired.good_p, SignTest(3, 1));
  EXPECT_NEAR(paired.value_difference.estimate, 2.0 / 5, 1e-12);
  const std::vector<double> differences = {1, 1, 0.75, -1, 0.25};
  EXPECT_DOUBLE_EQ(paired.value_p, SignFlipTest(differences, RandomKey(1), 1));
}

TEST(CompareRuns, LeavesOutWhatOnlyOneRunAnswered) {
  JudgedRun first = RunOf("first", {0.1, 0.2, 0.3});
  JudgedRun second = RunOf("second", {0.2, 0.3, 0.4, 0.5});
  first.answers.erase(first.answers.begin());
  std::swap(second.answers[1], second.answers[3]);  // the order of answers doesn't matter
  const Comparison comparison = CompareRuns({first, second}, {});
  EXPECT_EQ(comparison.paired[0].pairs, 2);
  EXPECT_EQ(comparison.paired[0].missing, 2);
  EXPECT_NEAR(comparison.paired[0].value_difference.estimate, 0.1, 1e-12);
}

TEST(CompareReport, SaysWhoJudgedAndWhatWasFound) {
  CompareReport report;
  report.judge = {"judge.gguf", "harmless:plain", {}, {}};
  report.comparison = CompareRuns({RunOf("sample", {-0.5, 0.5}), RunOf("rain", {0.5, 0.5})}, {});
  report.notes = {"one thing"};
  const std::string text = FormatCompareReport(report);
  for (const char* wanted : {"judge.gguf", "harmless:plain", "soft", "50.0 [", "100.0 [", "+50.0 [",
                             "1/0", "against sample", "note: one thing"}) {
    EXPECT_THAT(text, HasSubstr(wanted));
  }
  const auto json = nlohmann::json::parse(CompareReportJson(report));
  EXPECT_EQ(json.at("schema"), "plumbline.comparison/1");
  EXPECT_EQ(json.at("judge").at("template"), "harmless:plain");
  EXPECT_EQ(json.at("runs").at(1).at("good"), 2);
  EXPECT_EQ(json.at("paired").at(0).at("turned_good"), 1);
  EXPECT_DOUBLE_EQ(json.at("paired").at(0).at("good_difference").at("estimate"), 0.5);
}

}  // namespace
}  // namespace plumbline
