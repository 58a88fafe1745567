#include "plumbline/scoring/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "plumbline/core/random.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

constexpr char kSmall[] = R"(# A comment.
[name]
polite

[instruction]
Is the reply {first} or {second}?

[good]
polite
[bad]
rude

[answer-prefix]
It is

[example good]
User: Hello!
Assistant: Good morning,
how are you?

[example bad]
User: Hello!
Assistant: Hi.
User: What's up?
Assistant: None of your business.

[variant letters]
[labels]
letters
[example bad]
User: Hm?
Assistant: Go away.
)";

Error ErrorOf(const std::string& text) {
  const Result<std::vector<EvaluationTemplate>> parsed = ParseTemplates(text, "my.tmpl");
  if (parsed.has_value()) return {ErrorCode::kInternal, "parsed without an error", ""};
  return parsed.error();
}

// kSmall with one piece of text replaced.
std::string Changed(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(ParseTemplates, ReadsEveryPart) {
  const auto parsed = ParseTemplates(kSmall, "my.tmpl");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 2u);
  const EvaluationTemplate& first = parsed->front();
  EXPECT_EQ(first.Spec(), "polite");
  EXPECT_EQ(first.criterion, "polite");
  EXPECT_EQ(first.instruction, "Is the reply {first} or {second}?");
  EXPECT_TRUE(first.NamesOptionsFirst());
  EXPECT_EQ(first.good, "polite");
  EXPECT_EQ(first.bad, "rude");
  EXPECT_EQ(first.answer_prefix, "It is");
  EXPECT_EQ(first.labels, OptionLabels::kWords);
  ASSERT_EQ(first.examples.size(), 2u);
  EXPECT_TRUE(first.examples[0].good);
  const Dialogue greeting = {{Role::kUser, "Hello!"},
                             {Role::kAssistant, "Good morning,\nhow are you?"}};
  EXPECT_EQ(first.examples[0].dialogue, greeting);
  EXPECT_FALSE(first.examples[1].good);
  EXPECT_EQ(first.examples[1].dialogue.size(), 4u);
}

TEST(ParseTemplates, AVariantChangesOnlyWhatItNames) {
  const auto parsed = ParseTemplates(kSmall, "my.tmpl");
  ASSERT_TRUE(parsed.has_value());
  const EvaluationTemplate& variant = parsed->back();
  EXPECT_EQ(variant.Spec(), "polite:letters");
  EXPECT_EQ(variant.labels, OptionLabels::kLetters);
  EXPECT_EQ(variant.answer_prefix, "It is");
  ASSERT_EQ(variant.examples.size(), 1u);
  EXPECT_EQ(variant.examples[0].dialogue.back().text, "Go away.");
}

TEST(ParseTemplates, ReadsEscapesAndWindowsLineEnds) {
  const std::string text = Changed("Is the reply", "\\[1] \\#\r\n\\# Is the reply");
  const auto parsed = ParseTemplates(text, "my.tmpl");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->front().instruction, "[1] \\#\n# Is the reply {first} or {second}?");
}

struct BadTemplate {
  std::string from, to, message;
};

class BadTemplateTest : public testing::TestWithParam<BadTemplate> {};

TEST_P(BadTemplateTest, SaysWhereAndWhat) {
  const Error error = ErrorOf(Changed(GetParam().from, GetParam().to));
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Slips, BadTemplateTest,
    testing::Values(
        BadTemplate{"[instruction]", "[instrction]",
                    "my.tmpl:5: unknown part 'instrction'; did you mean 'instruction'?"},
        BadTemplate{"{second}", "{secnd}",
                    "my.tmpl:6: unknown placeholder {secnd}; did you mean {second}?"},
        BadTemplate{"{second}?", "rude?", "the options are never named: {second} is missing"},
        BadTemplate{"letters\n[ex", "leters\n[ex",
                    "my.tmpl:29: unknown value 'leters' of part 'labels'; did you mean 'letters'?"},
        BadTemplate{"# A comment.", "oops", "my.tmpl:1: text before the first part"},
        BadTemplate{"[bad]\nrude\n", "[bad]\n\n", "my.tmpl:10: part 'bad' is empty"},
        BadTemplate{"[bad]\nrude\n", "\n\n", "part 'bad' is missing"},
        BadTemplate{"[bad]\nrude\n", "[bad]\npolite\n", "[good] and [bad] have the same wording"},
        BadTemplate{"[bad]\nrude\n", "[good]\nrude\n",
                    "my.tmpl:10: part 'good' was given in line 8 already"},
        BadTemplate{"It is\n", "It is\nindeed\n", "my.tmpl:15: part 'answer-prefix' has one line"},
        BadTemplate{"[example good]", "[example]",
                    "my.tmpl:16: an example must say whether its reply is good"},
        BadTemplate{"Assistant: Hi.\n", "", "my.tmpl:23: 'User:' and 'Assistant:' must take turns"},
        BadTemplate{"Assistant: None of your business.\n", "",
                    "an example must end with the reply that is judged"},
        BadTemplate{"User: Hm?", "Hm?", "my.tmpl:31: an example must begin with 'User:'"},
        BadTemplate{"[name]", "[name", "my.tmpl:2: '[name' has no closing bracket"},
        BadTemplate{"[name]", "[name it]", "my.tmpl:2: part 'name' takes no argument"},
        BadTemplate{"[variant letters]", "[variant]", "my.tmpl:27: a variant needs a name"},
        BadTemplate{"None of", "None \xFF of", "my.tmpl:25: invalid UTF-8"}));

TEST(ParseTemplates, EveryDamagedFileIsReadOrRefusedByLine) {
  RandomStream random(RandomKey(11));
  const std::string scraps[] = {"[", "]", "\n", "{", "}", "#", "\\", "[variant x]\n", "\xC3", ""};
  for (int round = 0; round < 2000; ++round) {
    std::string text = kSmall;
    for (uint64_t edits = 1 + random.NextBelow(4); edits > 0; --edits) {
      const size_t at = random.NextBelow(text.size());
      text.replace(at, random.NextBelow(12), scraps[random.NextBelow(std::size(scraps))]);
    }
    const auto parsed = ParseTemplates(text, "my.tmpl");
    if (parsed.has_value()) {
      EXPECT_FALSE(parsed->empty());
    } else {
      EXPECT_EQ(parsed.error().message.find("my.tmpl:"), 0u) << parsed.error().message;
    }
  }
}

TEST(ParseTemplates, RefusesAnEmptyFile) {
  EXPECT_THAT(ErrorOf("").message, HasSubstr("my.tmpl:1: the template is empty"));
}

TEST(LoadTemplates, TheBuiltInOnesAreSound) {
  const std::vector<std::string> expected = {"harmless", "helpful", "truthful", "sentiment"};
  EXPECT_EQ(BuiltInTemplateNames(), expected);
  for (const std::string& name : BuiltInTemplateNames()) {
    const auto templates = LoadTemplates(name);
    ASSERT_TRUE(templates.has_value()) << templates.error().message;
    for (const EvaluationTemplate& one : *templates) {
      EXPECT_EQ(one.name, name);
      int good = 0;
      for (const WorkedExample& example : one.examples) good += example.good;
      EXPECT_EQ(2 * good, static_cast<int>(one.examples.size())) << one.Spec();
    }
  }
}

TEST(LoadTemplate, NamesTheNearest) {
  const auto missing = LoadTemplate("harmles");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean 'harmless'?"));
}

TEST(LoadTemplate, ReadsAFileAndItsVariants) {
  const std::string path = testing::TempDir() + "plumbline_template_test.tmpl";
  std::ofstream(path) << kSmall;
  const auto whole = LoadTemplate(path);
  ASSERT_TRUE(whole.has_value()) << whole.error().message;
  EXPECT_EQ(whole->Spec(), "polite");
  const auto variant = LoadTemplate(path + ":letters");
  ASSERT_TRUE(variant.has_value()) << variant.error().message;
  EXPECT_EQ(variant->Spec(), "polite:letters");
  const auto missing = LoadTemplate(path + ":leters");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean 'letters'?"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace plumbline
