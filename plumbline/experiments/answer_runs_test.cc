#include "plumbline/experiments/answer_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string AnswerLine(int index, const std::string& prompt, const std::string& text,
                       const std::string& procedure = "sample") {
  const json user = {{"role", "user"}, {"content", prompt}};
  const json line = {{"schema", "plumbline.answer/1"},
                     {"key", text},
                     {"index", index},
                     {"procedure", procedure},
                     {"model", "M"},
                     {"messages", json::array({user})},
                     {"answer", {{"text", text}, {"tokens", 7}}},
                     {"usage", {{"tokens_read", 70}}},
                     {"seconds", 0.5}};
  return JsonLine(line) + "\n";
}

constexpr const char* kHeader = R"({"schema":"plumbline.run/1","settings":{"seed":1}})"
                                "\n";

class AnswerRunsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "plumbline_answer_runs/";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "other");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + name, std::ios::binary) << text;
    return folder_ + name;
  }
  Error ErrorOf(const std::string& text) const {
    const auto runs = ReadAnswerRuns({Write("bad.jsonl", text)});
    EXPECT_FALSE(runs.has_value());
    return runs ? Error{} : runs.error();
  }
  std::string folder_;
};

TEST_F(AnswerRunsTest, NamesEqualPromptsEquallyWhateverTheOrder) {
  const std::string a =
      Write("a.jsonl", kHeader + AnswerLine(2, "twice", "third") + AnswerLine(0, "twice", "first") +
                           AnswerLine(1, "once", "second"));
  const std::string b =
      Write("b.jsonl", AnswerLine(5, "once", "x") + AnswerLine(6, "twice", "y") + "{\"torn");
  const auto runs = ReadAnswerRuns({a, b});
  ASSERT_TRUE(runs.has_value()) << runs.error().message;
  ASSERT_EQ(runs->size(), 2u);
  const AnswerRun& first = (*runs)[0];
  EXPECT_EQ(first.name, "a");
  EXPECT_EQ(first.procedure, "sample");
  EXPECT_EQ(first.settings.at("seed"), 1);
  ASSERT_EQ(first.answers.size(), 3u);
  EXPECT_EQ(first.answers[0].reply, "first");
  EXPECT_EQ(first.answers[2].reply, "third");
  EXPECT_NE(first.answers[0].prompt, first.answers[2].prompt);
  EXPECT_DOUBLE_EQ(first.answers[0].tokens, 7);
  EXPECT_DOUBLE_EQ(first.answers[0].tokens_read, 70);
  EXPECT_DOUBLE_EQ(first.answers[0].seconds, 0.5);
  const AnswerRun& second = (*runs)[1];
  ASSERT_EQ(second.answers.size(), 2u);
  EXPECT_TRUE(second.settings.is_null());
  EXPECT_EQ(second.answers[0].prompt, first.answers[1].prompt);
  EXPECT_EQ(second.answers[1].prompt, first.answers[0].prompt);
}

TEST_F(AnswerRunsTest, ProceduresOfOneFileAreSeveralRuns) {
  const std::string path =
      Write("both.jsonl", AnswerLine(0, "p", "x", "sample") + AnswerLine(0, "p", "y", "rain") +
                              AnswerLine(1, "q", "z", "sample"));
  const auto runs = ReadAnswerRuns({path});
  ASSERT_TRUE(runs.has_value());
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_EQ((*runs)[0].name, "both:sample");
  EXPECT_EQ((*runs)[0].answers.size(), 2u);
  EXPECT_EQ((*runs)[1].name, "both:rain");
  EXPECT_EQ((*runs)[1].answers[0].prompt, (*runs)[0].answers[0].prompt);
}

TEST_F(AnswerRunsTest, FilesOfOneNameAreToldApart) {
  const std::string a = Write("run.jsonl", AnswerLine(0, "p", "x"));
  const std::string b = Write("other/run.jsonl", AnswerLine(0, "p", "x"));
  const auto runs = ReadAnswerRuns({a, b});
  ASSERT_TRUE(runs.has_value());
  EXPECT_NE((*runs)[0].name, (*runs)[1].name);
  EXPECT_THAT((*runs)[1].name, HasSubstr("other/run.jsonl"));
  EXPECT_FALSE(ReadAnswerRuns({a, a}).has_value());
}

TEST_F(AnswerRunsTest, EveryRunSharesAPromptWithTheFirst) {
  const std::string a = Write("a.jsonl", AnswerLine(0, "p", "x"));
  const std::string b = Write("b.jsonl", AnswerLine(0, "q", "x"));
  const auto runs = ReadAnswerRuns({a, b});
  ASSERT_FALSE(runs.has_value());
  EXPECT_EQ(runs.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(runs.error().message, HasSubstr("b and a have no prompt in common"));
}

TEST_F(AnswerRunsTest, ABegunReplyBelongsToWhatIsJudged) {
  json line = json::parse(AnswerLine(0, "p", " and so on"));
  line["messages"].push_back({{"role", "assistant"}, {"content", "Well"}});
  const auto runs = ReadAnswerRuns({Write("a.jsonl", line.dump() + "\n")});
  ASSERT_TRUE(runs.has_value()) << runs.error().message;
  const RecordedAnswer& answer = (*runs)[0].answers[0];
  EXPECT_EQ(answer.reply, "Well and so on");
  ASSERT_EQ(answer.dialogue.size(), 1u);
  EXPECT_EQ(answer.dialogue[0].role, Role::kUser);
}

TEST_F(AnswerRunsTest, ErrorsNameFileLineAndField) {
  json line = json::parse(AnswerLine(0, "p", "x"));
  line["answer"].erase("tokens");
  const Error field = ErrorOf(AnswerLine(0, "p", "x") + line.dump() + "\n" + kHeader);
  EXPECT_THAT(field.message, HasSubstr("bad.jsonl:2: field /answer/tokens"));
  EXPECT_EQ(field.code, ErrorCode::kInvalidInput);
  EXPECT_THAT(ErrorOf("{broken\n" + AnswerLine(0, "p", "x")).message, HasSubstr("bad.jsonl:1: "));
  EXPECT_THAT(ErrorOf("{\"prompt\":\"x\"}\n").message, HasSubstr("neither a header nor an answer"));
  EXPECT_THAT(ErrorOf("[1]\n").message, HasSubstr("bad.jsonl:1: "));
  EXPECT_THAT(ErrorOf(kHeader).message, HasSubstr("holds no answers"));
  EXPECT_EQ(ReadAnswerRuns({folder_ + "none.jsonl"}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace plumbline
