#include "plumbline/data/prompts.h"

#include <gmock/gmock.h>

#include "plumbline/data/hh_dialogue.h"
#include "plumbline/data/temp_file.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

class Prompts : public TempFolder {
 protected:
  Result<std::vector<PromptRecord>> Read(const std::string& name, const std::string& content,
                                         PromptSource source = {}) const {
    source.path = Write(name, content);
    return ReadPrompts(source);
  }
  Error ErrorOf(const std::string& name, const std::string& content,
                PromptSource source = {}) const {
    const auto records = Read(name, content, std::move(source));
    EXPECT_FALSE(records.has_value()) << content;
    return records ? Error{} : records.error();
  }
};

TEST_F(Prompts, JsonlTakesPromptsAndMessages) {
  const auto good = Read("b.jsonl", R"({"id": 7, "prompt": "Hi", "system": "Be brief."}

{"id": "x", "messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]}
)")
                        .value();
  ASSERT_EQ(good.size(), 2u);
  EXPECT_EQ(good[0].id, "7");
  EXPECT_EQ(good[0].dialogue, (Dialogue{{Role::kSystem, "Be brief."}, {Role::kUser, "Hi"}}));
  EXPECT_EQ(good[1].dialogue, (Dialogue{{Role::kUser, "A"}, {Role::kAssistant, "B"}}));
  EXPECT_THAT(good[1].where, HasSubstr("b.jsonl:3"));
  EXPECT_EQ(good[1].index, 1u);
}

TEST_F(Prompts, ErrorsNameTheLine) {
  const std::string good = "{\"prompt\": \"a\"}\n";
  const auto message = [&](const std::string& line) {
    const Error error = ErrorOf("a.jsonl", good + line + "\n");
    EXPECT_EQ(error.code, ErrorCode::kInvalidInput) << line;
    return error.message;
  };
  EXPECT_THAT(message("{\"prompt\": "), HasSubstr("a.jsonl:2: invalid JSON at column"));
  EXPECT_THAT(message("[1]"), HasSubstr("a.jsonl:2: the line isn't a JSON object"));
  EXPECT_THAT(message("{\"prompt\": 3}"), HasSubstr("a.jsonl:2: field 'prompt' is number"));
  EXPECT_THAT(message("{\"prompt\": \"\"}"), HasSubstr("a.jsonl:2: the prompt is empty"));
  EXPECT_THAT(message("{\"prompt\": \"\xC3\"}"), HasSubstr("a.jsonl:2: not valid UTF-8"));
  EXPECT_THAT(message(R"({"messages": [{"role": "robot", "content": ""}]})"),
              HasSubstr("a.jsonl:2: unknown role 'robot'"));
  EXPECT_THAT(message(R"({"messages": [{"role": "user"}]})"), HasSubstr("message 1 needs"));
  EXPECT_THAT(message(R"({"messages": "x"})"), HasSubstr("isn't a list"));
  EXPECT_THAT(message(R"({"prompt": "x", "messages": []})"), HasSubstr("both"));
}

TEST_F(Prompts, AMisspeltFieldIsGuessed) {
  EXPECT_THAT(ErrorOf("a.jsonl", "{\"promt\": \"a\"}\n").hint, HasSubstr("--column promt"));
}

TEST_F(Prompts, AnyFieldOrColumnCanBeNamed) {
  PromptSource source;
  source.column = "goal";
  EXPECT_EQ(Read("a.jsonl", "{\"goal\": \"g\"}\n", source).value()[0].dialogue[0].text, "g");
  const auto rows = Read("a.csv", "id,goal\n1,\"first\nline\"\n2,b\n", source).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].dialogue[0].text, "first\nline");
  EXPECT_EQ(rows[1].id, "2");
  EXPECT_THAT(rows[1].where, HasSubstr("a.csv:4"));
}

TEST_F(Prompts, AMissingColumnIsNamedWithTheNearest) {
  PromptSource source;
  source.column = "gaol";
  const Error error = ErrorOf("a.csv", "goal,target\nx,y\n", source);
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("has no column 'gaol'"));
  EXPECT_THAT(error.hint, HasSubstr("--column 'goal'"));
  EXPECT_THAT(error.hint, HasSubstr("goal, target"));
}

TEST_F(Prompts, ACsvRowOfTheWrongLengthIsNamed) {
  EXPECT_THAT(ErrorOf("a.csv", "prompt,x\na,b\nc\n").message, HasSubstr("a.csv:3: 1 fields"));
}

TEST_F(Prompts, HhPairsAreRecognisedByTheirFields) {
  const auto records =
      Read("a.jsonl", R"({"chosen": "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?)"
                      R"(\n\nAssistant: Because.", "rejected": "\n\nHuman: Hi)"
                      R"(\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant: No."})"
                      "\n")
          .value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].dialogue,
            (Dialogue{{Role::kUser, "Hi"}, {Role::kAssistant, "Hello"}, {Role::kUser, "Why?"}}));
  EXPECT_EQ(records[0].preferred, "Because.");
  EXPECT_EQ(records[0].rejected, "No.");
}

TEST_F(Prompts, HhDialoguesMustEndWithAReply) {
  EXPECT_THAT(ErrorOf("a.jsonl", R"({"chosen": "\n\nHuman: Hi"})").message,
              HasSubstr("a.jsonl:1: the dialogue doesn't end with an assistant's turn"));
  EXPECT_FALSE(ParseHhDialogue("Hello").has_value());
  EXPECT_FALSE(ParseHhDialogue("\n\nAssistant: Hello").has_value());
}

TEST_F(Prompts, PlainTextIsOnePromptALine) {
  const auto records = Read("a.txt", "one\n\n two\n").value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].dialogue[0].text, " two");
}

TEST_F(Prompts, SkipAndLimitCountRecordsAndKeepTheirIndex) {
  PromptSource source;
  source.skip = 1;
  source.limit = 2;
  const auto records = Read("a.txt", "0\n1\n2\n3\n", source).value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].dialogue[0].text, "1");
  EXPECT_EQ(records[1].index, 2u);
  source.skip = 9;
  EXPECT_EQ(ErrorOf("a.txt", "0\n", source).code, ErrorCode::kInvalidArgument);
}

TEST_F(Prompts, EmptyFilesAndUnknownNamesAreErrors) {
  for (const char* name : {"a.jsonl", "a.csv", "a.txt"}) {
    EXPECT_THAT(ErrorOf(name, "").message, HasSubstr("holds no prompts"));
  }
  EXPECT_THAT(ErrorOf("a.csv", "prompt\n").message, HasSubstr("holds no prompts"));
  EXPECT_EQ(ErrorOf("a.dat", "x").code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(ParsePromptFormat("jsnl").error().hint, HasSubstr("'jsonl'"));
}

}  // namespace
}  // namespace plumbline
