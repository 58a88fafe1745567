#include "plumbline/experiments/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "plumbline/core/executor.h"
#include "plumbline/data/json_text.h"
#include "plumbline/model/scripted/scripted_model.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

// A judge of replies that hold "+" (good) or "-" (bad) as words; `strength` 0 knows nothing.
ScriptedOptions Judge(double strength) {
  ScriptedOptions options;
  options.words = {" fine", " poor", " plus", " minus"};
  options.logits = [strength](std::span<const TokenId> path) {
    double fine = 0;
    for (const TokenId token : path) fine += token == 3 ? strength : token == 4 ? -strength : 0;
    return std::vector<float>{-100, static_cast<float>(fine), 0, -100, -100};
  };
  return options;
}

std::string WriteTemplate() {
  const std::string path = testing::TempDir() + "plumbline_self_check_test.tmpl";
  std::ofstream(path) << "[name]\nsign\n[instruction]\n{first} or {second}?\n[good]\nfine\n"
                         "[bad]\npoor\n[answer-prefix]\nVerdict:\n"
                         "[variant asked]\n[answer-prefix]\nIt is\n"
                         "[variant chat]\n[form]\nchat\n";
  return path;
}

std::vector<LabelledReply> Labelled() {
  std::vector<LabelledReply> items;
  for (int i = 0; i < 10; ++i) {
    const Dialogue dialogue = {{Role::kUser, "Prompt " + std::to_string(i)}};
    items.push_back({"sign", dialogue, "a plus", true});
    // One bad reply of ten is praised.
    items.push_back({"sign", dialogue, i == 0 ? "a plus plus" : "a minus", false});
  }
  return items;
}

class SelfCheckTest : public testing::Test {
 protected:
  SelfCheckOptions Options() {
    SelfCheckOptions options;
    options.templates = {WriteTemplate()};
    options.labelled = Labelled();
    return options;
  }
  Usage usage_;
  Call call_{.usage = &usage_, .stop = {}};
};

TEST_F(SelfCheckTest, MeasuresWhatTheJudgeKnows) {
  ScriptedModel model(Judge(1));
  Executor executor({&model});
  const auto report = executor.Run(RunSelfCheck(model, Options(), call_));
  ASSERT_TRUE(report.has_value()) << report.error().message;
  ASSERT_EQ(report->rows.size(), 2u * 3);
  const SelfCheckRow& best = report->rows.front();
  EXPECT_EQ(best.criterion, "sign");
  EXPECT_EQ(best.good, 10);
  EXPECT_EQ(best.bad, 10);
  EXPECT_NEAR(best.auc.estimate, 0.9, 1e-12);
  EXPECT_NEAR(best.same_prompt.estimate, 0.9, 1e-12);
  EXPECT_NEAR(best.accuracy.estimate, 0.95, 1e-12);
  EXPECT_NEAR(best.first_option_rate, 0.5, 1e-12);
  EXPECT_NEAR(best.order_gap, 0, 1e-12);
  EXPECT_TRUE(best.BetterThanChance());
  EXPECT_GT(best.calibration.gain, 0);
  EXPECT_GT(best.tokens_per_judgement, 0);
  EXPECT_GT(best.fixed_tokens, 0);
  EXPECT_TRUE(best.recommended);
  EXPECT_FALSE(report->rows[1].recommended);
  ASSERT_EQ(report->skipped.size(), 1u);
  EXPECT_THAT(report->skipped.front(), HasSubstr("sign:chat"));
  EXPECT_EQ(usage_.tokens_read, report->usage.tokens_read);
}

TEST_F(SelfCheckTest, AnIgnorantJudgeIsAtChance) {
  ScriptedModel model(Judge(0));
  Executor executor({&model});
  const auto report = executor.Run(RunSelfCheck(model, Options(), call_));
  ASSERT_TRUE(report.has_value());
  for (const SelfCheckRow& row : report->rows) {
    EXPECT_DOUBLE_EQ(row.auc.estimate, 0.5);
    EXPECT_DOUBLE_EQ(row.accuracy.estimate, 0.5);
    EXPECT_FALSE(row.BetterThanChance());
  }
  EXPECT_THAT(FormatSelfCheck(*report), HasSubstr("no wording is better than chance"));
}

TEST_F(SelfCheckTest, ReportsAsTextAndJson) {
  ScriptedModel model(Judge(1));
  Executor executor({&model});
  const auto report = executor.Run(RunSelfCheck(model, Options(), call_));
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(FormatSelfCheck(*report), HasSubstr("sign: use --align-to sign"));
  const auto parsed = ParseJson(SelfCheckJson(*report));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ((*parsed)["schema"], "plumbline.self-check");
  EXPECT_EQ((*parsed)["rows"].size(), report->rows.size());
  EXPECT_NEAR((*parsed)["rows"][0]["auc"]["estimate"].get<double>(), 0.9, 1e-9);
}

TEST_F(SelfCheckTest, NeedsLabelledRepliesOfTheCriterion) {
  ScriptedModel model(Judge(1));
  Executor executor({&model});
  SelfCheckOptions options = Options();
  for (LabelledReply& item : options.labelled) item.criterion = "other";
  const auto report = executor.Run(RunSelfCheck(model, options, call_));
  ASSERT_FALSE(report.has_value());
  EXPECT_THAT(report.error().message, HasSubstr("criterion 'sign'"));
}

TEST_F(SelfCheckTest, OwnRepliesPickTheTemplatesOfTheirCriterion) {
  ScriptedOptions judge = Judge(0);
  judge.words = {" safe", " harmful", "A", "B"};
  ScriptedModel model(std::move(judge));
  Executor executor({&model});
  SelfCheckOptions options = Options();
  options.templates.clear();
  options.corrections = {ContentFree::kNone};
  const auto none = executor.Run(RunSelfCheck(model, options, call_));
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("no built-in template"));
  for (LabelledReply& item : options.labelled) item.criterion = "harmless";
  const auto report = executor.Run(RunSelfCheck(model, options, call_));
  ASSERT_TRUE(report.has_value()) << report.error().message;
  for (const SelfCheckRow& row : report->rows) EXPECT_EQ(row.criterion, "harmless");
}

TEST_F(SelfCheckTest, UnknownTemplatesAreNamed) {
  ScriptedModel model(Judge(1));
  Executor executor({&model});
  SelfCheckOptions options = Options();
  options.templates = {"harmles"};
  const auto report = executor.Run(RunSelfCheck(model, options, call_));
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

TEST(BalancedSubset, SpreadsPairsOverTheSet) {
  const std::vector<LabelledReply> all = Labelled();
  const std::vector<LabelledReply> some = BalancedSubset(all, 6);
  ASSERT_EQ(some.size(), 6u);
  EXPECT_EQ(some[2].dialogue, all[6].dialogue);
  EXPECT_EQ(some[4].dialogue, all[12].dialogue);
  for (size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i].good, i % 2 == 0);
  EXPECT_EQ(BalancedSubset(all, 0).size(), all.size());
  EXPECT_EQ(BalancedSubset(all, 100).size(), all.size());
}

class QuickSelfCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.evaluation_template = *LoadTemplate("sentiment");
    options_.evaluation_template.good = "fine";
    options_.evaluation_template.bad = "poor";
    options_.evaluation_template.form = PromptForm::kPlain;
    options_.model_key = "model-1";
    options_.cache_dir = testing::TempDir() + "plumbline_quick_check";
    std::filesystem::remove_all(options_.cache_dir);
    std::filesystem::create_directories(options_.cache_dir);
  }
  void TearDown() override { std::filesystem::remove_all(options_.cache_dir); }

  QuickSelfCheckResult Run(ScriptedModel& model) {
    Executor executor({&model});
    auto result = executor.Run(QuickSelfCheck(model, options_, {.usage = &usage_, .stop = {}}));
    EXPECT_TRUE(result.has_value() && result->has_value());
    return **result;
  }

  QuickSelfCheckOptions options_;
  Usage usage_;
};

TEST_F(QuickSelfCheckTest, WarnsOfAJudgeAtChanceAndRemembers) {
  ScriptedModel model(Judge(0));
  const QuickSelfCheckResult first = Run(model);
  EXPECT_FALSE(first.from_cache);
  EXPECT_DOUBLE_EQ(first.auc.estimate, 0.5);
  EXPECT_THAT(first.warning, HasSubstr("no better than chance"));
  const size_t calls = model.calls().size();
  const QuickSelfCheckResult again = Run(model);
  EXPECT_TRUE(again.from_cache);
  EXPECT_EQ(again.warning, first.warning);
  EXPECT_EQ(model.calls().size(), calls);
  options_.model_key = "model-2";
  EXPECT_FALSE(Run(model).from_cache);
}

TEST_F(QuickSelfCheckTest, RunsAgainIfTheCacheIsBroken) {
  ScriptedModel model(Judge(0));
  Run(model);
  for (const auto& entry : std::filesystem::directory_iterator(options_.cache_dir)) {
    std::ofstream(entry.path()) << "{\"auc\": ";
  }
  EXPECT_FALSE(Run(model).from_cache);
}

TEST_F(QuickSelfCheckTest, IsSilentOfAJudgeThatKnows) {
  const std::vector<LabelledReply> all = *LoadCheckSet("sentiment");
  ScriptedOptions options = Judge(0);
  options.logits = [&all, words = options.words.size()](std::span<const TokenId> path) {
    std::string text;  // what isn't one of the words is a byte token
    for (const TokenId token : path) {
      if (static_cast<size_t>(token) > words) text += static_cast<char>(token - words - 1);
    }
    double fine = 0;
    for (const LabelledReply& item : all) {
      if (text.ends_with(item.reply + "\nRating:")) fine = item.good ? 2 : -2;
    }
    return std::vector<float>{-100, static_cast<float>(fine), 0};
  };
  ScriptedModel model(std::move(options));
  const QuickSelfCheckResult result = Run(model);
  EXPECT_DOUBLE_EQ(result.auc.estimate, 1);
  EXPECT_EQ(result.warning, "");
  EXPECT_GT(result.calibration.gain, 0);
}

TEST_F(QuickSelfCheckTest, HasNothingToSayOfAnUnknownCriterion) {
  ScriptedModel model(Judge(0));
  Executor executor({&model});
  options_.evaluation_template.criterion = "mine";
  const auto result = executor.Run(QuickSelfCheck(model, options_, {.usage = &usage_, .stop = {}}));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->has_value());
}

}  // namespace
}  // namespace plumbline
