#include "plumbline/model/openai/token_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace plumbline::openai {
namespace {

using testing::ElementsAre;

/// A step whose listed tokens have these probabilities, of which the chosen one is given.
RemoteStep StepOf(const std::vector<double>& probabilities, double chosen) {
  RemoteStep step;
  step.chosen.log_prob = std::log(chosen);
  for (const double p : probabilities) step.top.push_back({"t", std::nullopt, std::log(p)});
  return step;
}

double Probability(const RemoteStep& step, const Sampling& sampling) {
  return std::exp(RuleLogProb(step, sampling));
}

TEST(RuleLogProbTest, TheModelsOwnRuleChangesNothing) {
  EXPECT_DOUBLE_EQ(Probability(StepOf({0.5, 0.2}, 0.2), {}), 0.2);
  EXPECT_DOUBLE_EQ(Probability(StepOf({}, 0.01), {}), 0.01);
}

TEST(RuleLogProbTest, TopKRenormalises) {
  Sampling sampling;
  sampling.top_k = 2;
  EXPECT_NEAR(Probability(StepOf({0.5, 0.3, 0.1}, 0.3), sampling), 0.3 / 0.8, 1e-12);
}

TEST(RuleLogProbTest, TopPKeepsTheSmallestSetWithTheMass) {
  Sampling sampling;
  sampling.top_p = 0.8;  // 0.5 + 0.3 reach it
  EXPECT_NEAR(Probability(StepOf({0.5, 0.3, 0.1}, 0.5), sampling), 0.5 / 0.8, 1e-9);
}

TEST(RuleLogProbTest, TopPIsOfWhatTopKKept) {
  Sampling sampling;
  sampling.top_k = 2;
  sampling.top_p = 0.6;  // of 0.8: 0.48, which 0.5 reaches alone
  EXPECT_NEAR(Probability(StepOf({0.5, 0.3, 0.1}, 0.5), sampling), 1, 1e-12);
}

TEST(RuleLogProbTest, MinPIsRelativeToTheLikeliest) {
  Sampling sampling;
  sampling.min_p = 0.5;
  EXPECT_NEAR(Probability(StepOf({0.4, 0.25, 0.1}, 0.25), sampling), 0.25 / 0.65, 1e-12);
}

TEST(RuleLogProbTest, TheTemperatureComesAfterTheCuts) {
  Sampling sampling;
  sampling.top_k = 2;
  sampling.temperature = 0.5;  // squares the probabilities
  EXPECT_NEAR(Probability(StepOf({0.5, 0.3, 0.1}, 0.3), sampling), 0.09 / 0.34, 1e-12);
  sampling.temperature = 0;
  EXPECT_EQ(RuleLogProb(StepOf({0.5, 0.3}, 0.5), sampling), 0);
}

TEST(RuleLogProbTest, UnlistedTokensCountAsLikelyAsTheLastListedOne) {
  Sampling sampling;
  sampling.temperature = 0.5;
  // Listed 0.6 and 0.2; the rest is 0.2, as one token of 0.2.
  EXPECT_NEAR(Probability(StepOf({0.6, 0.2}, 0.6), sampling), 0.36 / (0.36 + 0.04 + 0.04), 1e-12);
}

TEST(RuleLogProbTest, ADrawnTokenIsNeverImpossible) {
  Sampling sampling;
  sampling.top_k = 2;
  const double p = Probability(StepOf({0.5, 0.3, 0.1}, 0.1), sampling);
  EXPECT_GT(p, 0);
  EXPECT_LT(p, 0.2);
}

TEST(EndsClauseTest, OnThePunctuationAndNewlines) {
  for (const char* token : {",", ".", "?", ":", ";", "\n", ".\"", " a,b"}) {
    EXPECT_TRUE(EndsClause(token)) << token;
  }
  for (const char* token : {"", "word", "!", "-", "\xE3\x80\x82"}) EXPECT_FALSE(EndsClause(token));
}

std::vector<RemoteStep> Tokens(const std::vector<std::string>& texts) {
  std::vector<RemoteStep> steps;
  for (const std::string& text : texts) steps.push_back({{text, std::nullopt, -1}, {}, true});
  return steps;
}

TEST(AlignTokensTest, PlainTokensAreThemselves) {
  EXPECT_THAT(AlignTokens(Tokens({" Hel", "lo", "."}), " Hello."), ElementsAre(" Hel", "lo", "."));
}

TEST(AlignTokensTest, PartsOfACharacterGoToTheLastOfThem) {
  EXPECT_THAT(
      AlignTokens(Tokens({"a", "\xEF\xBF\xBD", "\xEF\xBF\xBD", " b"}), "a\xF0\x9F\x98\x80 b"),
      ElementsAre("a", "", "\xF0\x9F\x98\x80", " b"));
  EXPECT_THAT(AlignTokens(Tokens({"a", "bytes:\\xc3", "bytes:\\xa9"}), "a\xC3\xA9"),
              ElementsAre("a", "", "\xC3\xA9"));
}

TEST(AlignTokensTest, TheEndOfTextStandsForNothing) {
  EXPECT_THAT(AlignTokens(Tokens({"a", "</s>"}), "a"), ElementsAre("a", ""));
  EXPECT_THAT(AlignTokens(Tokens({"<s>", "a"}), "a"), ElementsAre("", "a"));
  EXPECT_THAT(AlignTokens({}, ""), ElementsAre());
}

}  // namespace
}  // namespace plumbline::openai
