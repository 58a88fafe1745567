#include "plumbline/experiments/judge_replies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "plumbline/core/executor.h"
#include "plumbline/model/scripted/scripted_model.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

// A judge of replies that hold " plus" (good) or " minus" (bad); leans towards "fine" by `lean`.
ScriptedOptions PlusMinusJudge(double lean) {
  ScriptedOptions options;
  options.words = {" fine", " poor", " plus", " minus"};
  options.logits = [lean](std::span<const TokenId> path) {
    double fine = lean;
    for (const TokenId token : path) fine += token == 3 ? 1 : token == 4 ? -1 : 0;
    return std::vector<float>{-100, static_cast<float>(fine), 0, -100, -100};
  };
  return options;
}

EvaluationTemplate Wording() {
  EvaluationTemplate wording;
  wording.name = "sign";
  wording.instruction = "{first} or {second}?";
  wording.good = "fine";
  wording.bad = "poor";
  wording.answer_prefix = "Verdict:";
  wording.form = PromptForm::kPlain;
  return wording;
}

Dialogue Says(const std::string& text) { return {{Role::kUser, text}}; }

class JudgeRepliesTest : public testing::Test {
 protected:
  LogOddsByKey Ask(const JudgingQueue& queue, double lean) {
    ScriptedModel model(PlusMinusJudge(lean));
    Executor executor({&model});
    auto judge = SelfEvaluation::Create(model, Wording(), {});
    EXPECT_TRUE(judge.has_value());
    LogOddsByKey log_odds;
    const JudgedHook keep = [&](const ReplyToJudge& question, const std::vector<double>& z) {
      log_odds[question.key] = z;
      return Status();
    };
    const Status status = executor.Run(
        JudgeReplies(**judge, queue.Without({}), keep, {.usage = &usage_, .stop = {}}));
    EXPECT_TRUE(status.has_value());
    return log_odds;
  }
  Usage usage_;
};

TEST_F(JudgeRepliesTest, ValuesEachReplyOnce) {
  JudgingQueue queue(ContentFree::kNone);
  for (int i = 0; i < 6; ++i) {
    const Dialogue dialogue = Says("prompt " + std::to_string(i));
    queue.Add(dialogue, "a plus");
    queue.Add(dialogue, "a minus");
    queue.Add(dialogue, "a plus");
  }
  EXPECT_EQ(queue.size(), 12u);
  const LogOddsByKey log_odds = Ask(queue, 0);
  EXPECT_EQ(log_odds.size(), 12u);
  const double good = JudgementOf(Says("prompt 5"), "a plus", log_odds, {}).value;
  EXPECT_NEAR(good, std::tanh(0.5), 1e-6);
  EXPECT_NEAR(JudgementOf(Says("prompt 0"), "a minus", log_odds, {}).value, -good, 1e-6);
}

TEST_F(JudgeRepliesTest, CorrectionsAreAskedForAndSubtracted) {
  SelfEvaluationOptions options;
  for (const ContentFree kind : {ContentFree::kTemplate, ContentFree::kConversation}) {
    options.content_free = kind;
    JudgingQueue queue(kind);
    queue.Add(Says("x"), "a plus");
    queue.Add(Says("y"), "a plus");
    EXPECT_EQ(queue.size(), kind == ContentFree::kTemplate ? 3u : 4u);
    const LogOddsByKey log_odds = Ask(queue, 2);
    EXPECT_NEAR(JudgementOf(Says("x"), "a plus", log_odds, {}).value, std::tanh(1.5), 1e-6);
    EXPECT_NEAR(JudgementOf(Says("x"), "a plus", log_odds, options).value, std::tanh(0.5), 1e-6);
  }
}

TEST_F(JudgeRepliesTest, CalibrationUndoesALean) {
  std::vector<LabelledReply> labelled;
  JudgingQueue queue(ContentFree::kNone);
  for (int i = 0; i < 20; ++i) {
    const bool good = i % 2 == 0;
    labelled.push_back(
        {"sign", Says("prompt " + std::to_string(i)), good ? "a plus" : "a minus", good});
    queue.Add(labelled.back().dialogue, labelled.back().reply);
  }
  const LogOddsByKey log_odds = Ask(queue, 3);  // everything is "fine"
  const auto quality = MeasureJudge(labelled, log_odds, {}, 0.95);
  ASSERT_TRUE(quality.has_value());
  EXPECT_EQ(quality->replies, 20);
  EXPECT_DOUBLE_EQ(quality->auc.estimate, 1);
  EXPECT_DOUBLE_EQ(quality->accuracy.estimate, 0.5);
  SelfEvaluationOptions calibrated;
  calibrated.calibration = quality->calibration;
  EXPECT_GT(JudgementOf(Says("prompt 1"), "a minus", log_odds, {}).value, 0);
  EXPECT_LT(JudgementOf(Says("prompt 1"), "a minus", log_odds, calibrated).value, -0.5);
  EXPECT_GT(JudgementOf(Says("prompt 0"), "a plus", log_odds, calibrated).value, 0.5);
  for (LabelledReply& item : labelled) item.good = !item.good;
  const auto backwards = MeasureJudge(labelled, log_odds, {}, 0.95);
  ASSERT_FALSE(backwards.has_value());
  EXPECT_THAT(backwards.error().message, HasSubstr("can't be calibrated"));
}

TEST_F(JudgeRepliesTest, AnErrorOfTheHookEndsTheJudging) {
  ScriptedModel model(PlusMinusJudge(0));
  Executor executor({&model});
  auto judge = SelfEvaluation::Create(model, Wording(), {});
  JudgingQueue queue(ContentFree::kNone);
  for (int i = 0; i < 20; ++i) queue.Add(Says(std::to_string(i)), "a plus");
  int heard = 0;
  const JudgedHook full_disk = [&heard](const ReplyToJudge&, const std::vector<double>&) -> Status {
    if (++heard < 6) return {};
    return Fail(ErrorCode::kIo, "no space");
  };
  const Status status = executor.Run(
      JudgeReplies(**judge, queue.Without({}), full_disk, {.usage = &usage_, .stop = {}}));
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_LT(heard, 20);
}

TEST(WordingDigest, ChangesWithWhatTheJudgeReads) {
  EvaluationTemplate wording = Wording();
  const std::string digest = WordingDigest(wording);
  wording.variant = "another name for the same";
  EXPECT_EQ(WordingDigest(wording), digest);
  wording.examples.push_back({{{Role::kUser, "q"}, {Role::kAssistant, "a"}}, true});
  EXPECT_NE(WordingDigest(wording), digest);
}

TEST(JudgementStore, GoesOnWithWhatItHolds) {
  const std::string path = testing::TempDir() + "plumbline_judgements.jsonl";
  std::filesystem::remove(path);
  JudgingQueue queue(ContentFree::kNone);
  queue.Add(Says("x"), "one");
  queue.Add(Says("x"), "two");
  const std::vector<ReplyToJudge> all = queue.Without({});
  {
    auto store = JudgementStore::Open(path, {{"judge", "j"}});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_TRUE(store->known().empty());
    EXPECT_TRUE(store->Append(all[0], {0.25, -0.5}).has_value());
  }
  std::ofstream(path, std::ios::app) << R"({"schema":"plumb)";
  {
    const auto again = JudgementStore::Open(path, {{"judge", "j"}});
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_GT(again->torn_bytes(), 0u);
    EXPECT_THAT(again->known().at(all[0].key), testing::ElementsAre(0.25, -0.5));
    const std::vector<ReplyToJudge> left = queue.Without(again->known());
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].reply, "two");
  }
  const auto other = JudgementStore::Open(path, {{"judge", "k"}});
  ASSERT_FALSE(other.has_value());
  EXPECT_THAT(other.error().message, HasSubstr("judge (\"j\" there, \"k\" now)"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace plumbline
