#include "plumbline/cli/help.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "plumbline/cli/rain_flags.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

class HelpTest : public testing::Test {
 protected:
  HelpTest() {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.allow_extras();
    app_.add_option("--temperature", temperature_, std::string(150, 'x') + " end");
    app_.add_option("TEXT", text_, "What to say");
  }
  Status Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    app_.parse(arguments);
    return CheckNothingLeft(app_);
  }

  CLI::App app_{"A program", "program"};
  double temperature_ = 0;
  std::string text_;
};

TEST_F(HelpTest, LinesAreNotLong) {
  std::istringstream help(app_.help());
  for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 100u);
  EXPECT_THAT(app_.help(), HasSubstr("--temperature FLOAT"));
}

TEST_F(HelpTest, UnknownOptionsNameTheNearest) {
  EXPECT_TRUE(Parse({"--temperature", "1", "hello"}).has_value());
  const Status near = Parse({"--temprature=1", "hello"});
  ASSERT_FALSE(near.has_value());
  EXPECT_EQ(near.error().message, "unknown option --temprature");
  EXPECT_THAT(near.error().hint, HasSubstr("--temperature"));
  EXPECT_THAT(Parse({"--zzzzzzzz"}).error().hint, HasSubstr("program --help"));
}

TEST_F(HelpTest, WordsThatAreLeftAskForQuotes) {
  EXPECT_THAT(Parse({"two", "words"}).error().hint, HasSubstr("quotes"));
}

TEST(OneOfTest, NamesTheNearestWord) {
  const CLI::Validator validator = OneOf({"sample", "rain"});
  EXPECT_EQ(validator("rain"), "");
  EXPECT_THAT(validator("rian"), HasSubstr("did you mean rain?"));
  EXPECT_THAT(validator("xxxxxxxx"), HasSubstr("known: sample, rain"));
}

RainOptions ParseRain(const std::string& arguments, RainOptions options) {
  CLI::App app;
  RainChanges changes;
  AddRainFlags(app, changes);
  app.parse(arguments);
  for (const auto& change : changes) change(options);
  return options;
}

TEST(RainFlags, ChangeThePresetWhereTheyAreGivenOnly) {
  const RainOptions options = ParseRain(
      "--rain-visits 7 --rain-set-lengths 1,3 --rain-draft-first on --rain-add-value 0.25 "
      "--rain-similarity off --rain-value-range seen",
      ReferenceRain());
  RainOptions expected = ReferenceRain();
  expected.visits = 7;
  expected.set_lengths = {1, 3};
  expected.draft_first = true;
  expected.add.value = 0.25;
  expected.similarity = SimilarityUse::kOff;
  expected.value_range = ValueRange::kSeen;
  EXPECT_EQ(RainSettings(options), RainSettings(expected));
  EXPECT_NE(RainSettings(options), RainSettings(ReferenceRain()));
}

TEST(RainFlags, SettingsLeaveOutWhatChangesNoDecision) {
  const RainOptions options = ParseRain("--rain-speculate 1", DefaultRain());
  EXPECT_EQ(options.speculate, 1);
  EXPECT_EQ(RainSettings(options), RainSettings(DefaultRain()));
}

}  // namespace
}  // namespace plumbline
