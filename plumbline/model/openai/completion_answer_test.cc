#include "plumbline/model/openai/completion_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::openai {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Result<RemoteCompletion> Parse(const std::string& body, int count = 1) {
  return ParseCompletion(body, count, "completion request to http://host:1/v1/completions");
}

std::string OneChoice(const std::string& choice) { return "{\"choices\":[" + choice + "]}"; }

constexpr char kParallel[] = R"({
  "choices": [{"index": 0, "text": " a b", "finish_reason": "stop", "stop_reason": "x",
    "logprobs": {"tokens": [" a", " b"], "token_logprobs": [-0.5, -1.5],
                 "top_logprobs": [{" c": -1.0, " a": -0.5}, null], "text_offset": [0, 2]}}],
  "usage": {"prompt_tokens": 7, "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 4}}})";

TEST(ParseCompletionTest, ParallelLists) {
  const auto completion = Parse(kParallel);
  ASSERT_TRUE(completion.has_value()) << completion.error().ToString();
  const RemoteChoice& choice = completion->choices[0];
  EXPECT_EQ(choice.text, " a b");
  ASSERT_EQ(choice.steps.size(), 2u);
  EXPECT_EQ(choice.steps[0].chosen.text, " a");
  EXPECT_EQ(choice.steps[0].chosen.log_prob, -0.5);
  ASSERT_EQ(choice.steps[0].top.size(), 2u);
  EXPECT_EQ(choice.steps[0].top[0].text, " a");
  EXPECT_EQ(choice.steps[0].top[1].text, " c");
  EXPECT_THAT(choice.steps[1].top, IsEmpty());
  EXPECT_TRUE(choice.stopped);
  EXPECT_EQ(choice.by_stop_string, true);
  EXPECT_EQ(completion->prompt_tokens, 7);
  EXPECT_EQ(completion->cached_tokens, 4);
  EXPECT_EQ(completion->completion_tokens, 2);
}

TEST(ParseCompletionTest, ListsOfObjects) {
  const auto completion = Parse(R"({"choices": [{"index": 0, "text": "é", "finish_reason": "length",
    "logprobs": {"content": [
      {"id": 5, "token": "\ufffd", "bytes": [195], "logprob": -1, "top_logprobs": [
         {"id": 5, "token": "\ufffd", "bytes": [195], "logprob": -1}]},
      {"id": 6, "token": "\ufffd", "bytes": [169], "logprob": -2, "top_logprobs": []}]}}]})");
  ASSERT_TRUE(completion.has_value()) << completion.error().ToString();
  const RemoteChoice& choice = completion->choices[0];
  EXPECT_EQ(choice.steps[0].chosen.text, "\xC3");
  EXPECT_EQ(choice.steps[1].chosen.text, "\xA9");
  EXPECT_EQ(choice.steps[1].chosen.id, 6);
  EXPECT_FALSE(choice.stopped);
  EXPECT_EQ(completion->prompt_tokens, 0);
}

TEST(ParseCompletionTest, ChoicesComeInTheOrderOfTheirIndex) {
  const auto completion = Parse(R"({"choices": [
    {"index": 1, "text": "", "finish_reason": "stop", "logprobs": null},
    {"index": 0, "text": "", "finish_reason": "length", "logprobs": null}]})",
                                2);
  ASSERT_TRUE(completion.has_value()) << completion.error().ToString();
  EXPECT_FALSE(completion->choices[0].stopped);
  EXPECT_TRUE(completion->choices[1].stopped);
  EXPECT_EQ(completion->choices[1].by_stop_string, std::nullopt);
}

TEST(ParseCompletionTest, NonsenseIsAnErrorThatSaysWhere) {
  const auto with_log_probs = [](const std::string& log_probs) {
    return OneChoice(R"({"text": "a", "finish_reason": "length", "logprobs": )" + log_probs + "}");
  };
  const struct {
    std::string body;
    const char* says;
  } cases[] = {
      {"", "not JSON"},
      {"<html>502 Bad Gateway</html>", "begin with '<html>502"},
      {std::string(kParallel).substr(0, 100), "cut off"},
      {std::string("\xff\x00\x01", 3), "not JSON"},
      {"[]", "not a JSON object"},
      {"{}", "'choices' is missing"},
      {R"({"choices": 3})", "'choices' is not a list"},
      {R"({"choices": []})", "1 completions were asked for by 'n', but it holds 0"},
      {OneChoice("7"), "no object holds 'text'"},
      {OneChoice("{}"), "'text' is missing"},
      {OneChoice(R"({"text": 5})"), "'text' is not a string"},
      {OneChoice(R"({"index": 4, "text": ""})"), "'index' is out of order"},
      {OneChoice(R"({"index": -1, "text": ""})"), "'index' is not a count"},
      {OneChoice(R"({"text": "a", "finish_reason": "length"})"), "no log-probabilities"},
      {OneChoice(R"({"text": "", "finish_reason": null})"), "'finish_reason' is not a string"},
      {OneChoice(R"({"text": "", "finish_reason": "abort"})"), "'abort'"},
      {with_log_probs("null"), "no log-probabilities"},
      {with_log_probs("3"), "no object holds 'tokens'"},
      {with_log_probs(R"({"tokens": ["a"]})"), "'token_logprobs' is missing"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": []})"), "differ in length"},
      {with_log_probs(R"({"tokens": ["a", "b"], "token_logprobs": [-1, null]})"),
       "'logprob' is not a number"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": [NaN]})"), "not JSON"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": [-1e999]})"), "not"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": [0.5]})"), "above zero"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": ["-1"]})"), "not a number"},
      {with_log_probs(R"({"tokens": [5], "token_logprobs": [-1]})"), "no string"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": []})"),
       "differ in length"},
      {with_log_probs(R"({"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [5]})"),
       "no object"},
      {with_log_probs(R"({"content": 5})"), "not a list"},
      {with_log_probs(R"({"content": [{"token": "a"}]})"), "'logprob' is missing"},
      {with_log_probs(R"({"content": [{"token": "a", "logprob": null}]})"), "not a number"},
      {with_log_probs(R"({"content": [{"token": "a", "logprob": -1, "bytes": [300]}]})"),
       "larger than a byte"},
      {with_log_probs(R"({"content": [{"token": "a", "logprob": -1, "id": 1.5}]})"),
       "'id' is not a count"},
  };
  for (const auto& c : cases) {
    const auto completion = Parse(c.body);
    ASSERT_FALSE(completion.has_value()) << c.body;
    EXPECT_EQ(completion.error().code, ErrorCode::kRemote);
    EXPECT_THAT(completion.error().message, HasSubstr(c.says)) << c.body;
    EXPECT_THAT(completion.error().message, HasSubstr("http://host:1/v1/completions")) << c.body;
    EXPECT_FALSE(completion.error().hint.empty());
  }
}

TEST(ParseCompletionTest, TheFirstTokenOfAnEchoedPromptIsUnknown) {
  const auto completion = Parse(OneChoice(R"({"text": "a b", "finish_reason": "length",
    "logprobs": {"tokens": ["a", " b"], "token_logprobs": [null, -1]}})"));
  ASSERT_TRUE(completion.has_value());
  EXPECT_FALSE(completion->choices[0].steps[0].known);
  EXPECT_TRUE(completion->choices[0].steps[1].known);
}

}  // namespace
}  // namespace plumbline::openai
