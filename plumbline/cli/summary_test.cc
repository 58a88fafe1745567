#include "plumbline/cli/summary.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "plumbline/cli/answer_json.h"

namespace plumbline {
namespace {

using testing::HasSubstr;
using testing::Not;

class SummaryTest : public testing::Test {
 protected:
  JobResult Result(ProcedureKind kind) const {
    JobResult result{Job(), Answer(), Usage(), 2.0};
    result.job.prompt = &prompt_;
    result.job.procedure = kind;
    result.job.key = "k";
    result.answer->chosen.text = "Hi\xFF";
    result.answer->chosen.tokens = 40;
    result.answer->chosen.value = 0.25;
    result.usage.tokens_read = 12345;
    result.usage.tokens_reread = 7;
    return result;
  }
  PromptRecord prompt_{"id-1", "in.jsonl:3", 2, {{Role::kUser, "Hello"}}, "", ""};
};

TEST_F(SummaryTest, OneAnswer) {
  JobResult result = Result(ProcedureKind::kRain);
  result.answer->visits = 55;
  result.answer->commits = 4;
  result.answer->searched_commits = 1;
  const std::string text = FormatAnswerSummary(result);
  EXPECT_THAT(text, HasSubstr("rain: 40 tokens in 2.00 s (20.0 tokens/s)"));
  EXPECT_THAT(text, HasSubstr("value +0.25"));
  EXPECT_THAT(text, HasSubstr("55 visits, 1 of 4 commits searched"));
  EXPECT_THAT(text, HasSubstr("12,345 read"));
  EXPECT_THAT(text, HasSubstr("7 re-read"));
  EXPECT_THAT(FormatAnswerSummary(Result(ProcedureKind::kSample)), Not(HasSubstr("visits")));
}

TEST_F(SummaryTest, TotalsCountAnswersAndFailures) {
  RunTotals totals;
  totals.Add(Result(ProcedureKind::kSample));
  totals.Add(Result(ProcedureKind::kSample));
  JobResult failed = Result(ProcedureKind::kSample);
  failed.answer = Fail(ErrorCode::kTooLong, "too long");
  totals.Add(failed);
  const std::string text = totals.Format(4);
  EXPECT_THAT(text, HasSubstr("2 answers in 4.00 s (0.50/s), 80 tokens (20.0 tokens/s)"));
  EXPECT_THAT(text, HasSubstr("1 failed"));
  EXPECT_THAT(text, HasSubstr("37,035 read"));
}

TEST_F(SummaryTest, ComparisonHasARowForEachAnswer) {
  const std::string text =
      FormatComparison({Result(ProcedureKind::kSample), Result(ProcedureKind::kWorstOfN)});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, HasSubstr("worst-of-n  +0.25      40"));
}

TEST_F(SummaryTest, JsonFollowsItsSchema) {
  ModelInfo model;
  model.name = "m";
  AnswerContext context{&model, "judge", 9};
  JobResult result = Result(ProcedureKind::kBestOfN);
  result.answer->candidates = {result.answer->chosen};
  const nlohmann::ordered_json json = AnswerJson(result, context);
  EXPECT_EQ(json["schema"], "plumbline.answer/1");
  EXPECT_EQ(json["index"], 2);
  EXPECT_EQ(json["id"], "id-1");
  EXPECT_EQ(json["answer"]["text"], "Hi\uFFFD");
  EXPECT_EQ(json["candidates"].size(), 1u);
  EXPECT_EQ(json["usage"]["tokens_read"], 12345);
  EXPECT_FALSE(json.contains("search"));
  EXPECT_TRUE(AnswerJson(Result(ProcedureKind::kRain), context).contains("search"));
}

}  // namespace
}  // namespace plumbline
