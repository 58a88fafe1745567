#include "plumbline/scoring/check_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "plumbline/scoring/template.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

TEST(LoadCheckSet, IsBalancedForEveryBuiltInTemplate) {
  for (const std::string& criterion : BuiltInTemplateNames()) {
    const auto items = LoadCheckSet(criterion);
    ASSERT_TRUE(items.has_value()) << items.error().message;
    EXPECT_GE(items->size(), criterion == "harmless" ? 100u : 60u);
    int good = 0;
    for (size_t i = 0; i < items->size(); ++i) {
      EXPECT_EQ((*items)[i].criterion, criterion);
      good += (*items)[i].good;
      if (i % 2 == 1) {
        EXPECT_EQ(2 * good, static_cast<int>(i + 1)) << "at " << i;
      }
    }
  }
}

TEST(LoadCheckSet, HasOneGoodAndOneBadReplyForEachPrompt) {
  const auto items = LoadCheckSet("");
  ASSERT_TRUE(items.has_value());
  std::map<std::string, std::set<bool>> verdicts;
  for (const LabelledReply& item : *items) {
    std::string prompt = item.criterion;
    for (const Message& message : item.dialogue) prompt += "\n" + message.text;
    EXPECT_TRUE(verdicts[prompt].insert(item.good).second) << prompt;
    EXPECT_FALSE(item.reply.empty());
  }
  for (const auto& [prompt, seen] : verdicts) EXPECT_EQ(seen.size(), 2u) << prompt;
}

TEST(LoadCheckSet, SharesNoReplyWithTheWorkedExamples) {
  std::set<std::string> replies;
  const auto items = LoadCheckSet("");
  ASSERT_TRUE(items.has_value());
  for (const LabelledReply& item : *items) replies.insert(item.reply);
  for (const std::string& name : BuiltInTemplateNames()) {
    const auto templates = LoadTemplates(name);
    ASSERT_TRUE(templates.has_value());
    for (const EvaluationTemplate& one : *templates) {
      for (const WorkedExample& example : one.examples) {
        EXPECT_FALSE(replies.contains(example.dialogue.back().text));
      }
    }
  }
}

TEST(ParseLabelledReplies, ReadsSeveralTurns) {
  const auto items = ParseLabelledReplies(
      R"({"criterion": "x", "prompt": ["a", "b", "c"], "reply": "d", "label": "bad"})", "my.jsonl");
  ASSERT_TRUE(items.has_value()) << items.error().message;
  const Dialogue expected = {{Role::kUser, "a"}, {Role::kAssistant, "b"}, {Role::kUser, "c"}};
  EXPECT_EQ(items->front().dialogue, expected);
  EXPECT_FALSE(items->front().good);
}

std::string ErrorOf(const std::string& second_line) {
  const std::string good = R"({"criterion":"x","prompt":"p","reply":"r","label":"good"})";
  const auto items = ParseLabelledReplies(good + "\n" + second_line + "\n", "my.jsonl");
  return items.has_value() ? "parsed without an error" : items.error().message;
}

TEST(ParseLabelledReplies, NamesTheLine) {
  EXPECT_THAT(ErrorOf("{"), HasSubstr("my.jsonl:2: invalid JSON"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("my.jsonl:2: not a JSON object"));
  EXPECT_THAT(ErrorOf(R"({"criterion":"x","promt":"p","reply":"r","label":"good"})"),
              HasSubstr("my.jsonl:2: unknown field 'promt'; did you mean 'prompt'?"));
  EXPECT_THAT(ErrorOf(R"({"criterion":"x","prompt":"p","reply":"r","label":"fine"})"),
              HasSubstr("field 'label' must be"));
  EXPECT_THAT(ErrorOf(R"({"criterion":"x","prompt":["p","q"],"reply":"r","label":"bad"})"),
              HasSubstr("field 'prompt' must be"));
  EXPECT_THAT(ErrorOf(R"({"criterion":"x","prompt":"","reply":"r","label":"bad"})"),
              HasSubstr("the prompt is empty"));
  EXPECT_THAT(ErrorOf(R"({"criterion":"x","prompt":"p","reply":7,"label":"bad"})"),
              HasSubstr("field 'reply' must be a string"));
}

}  // namespace
}  // namespace plumbline
