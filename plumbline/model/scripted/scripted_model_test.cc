#include "plumbline/model/scripted/scripted_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace plumbline {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Words() { return {"good", " bad", " day", ",", ".", " night"}; }

ScriptedOptions Hashed(uint64_t seed) {
  ScriptedOptions options;
  options.words = Words();
  options.logits = HashedLogits(Words().size(), seed);
  return options;
}

std::vector<Draw> Draws(int count, RandomKey key) {
  std::vector<Draw> draws;
  for (int i = 0; i < count; ++i) draws.push_back({.sampling = {}, .key = key.Derive(i)});
  return draws;
}

class ScriptedModelTest : public ::testing::Test {
 protected:
  Result<std::vector<TokenSet>> Continue(std::vector<Draw> draws, Until until) {
    Executor executor({&model});
    return executor.Run(model.Continue(start, std::move(draws), std::move(until), call));
  }

  ScriptedModel model{Hashed(1)};
  Branch start = *model.Open(PlainPrompt("good day"));
  Usage usage;
  std::stop_source stop;
  Call call{&usage, stop.get_token()};
};

TEST_F(ScriptedModelTest, TokenisesByLongestWordAndBytes) {
  EXPECT_EQ(model.Tokenize("good day").size(), 2u);
  EXPECT_EQ(model.Tokenize("goo!").size(), 4u);
  EXPECT_EQ(*model.CountTokens("good bad,."), 4);
  EXPECT_EQ(model.TokenText(model.WordId(" day")), " day");
  EXPECT_EQ(model.Open({}).error().code, ErrorCode::kInvalidInput);
}

TEST_F(ScriptedModelTest, DrawsAdvanceTogetherInOneRoundAStep) {
  const auto sets = Continue(Draws(5, RandomKey(3)), {.max_tokens = 4, .stop_strings = {}});
  ASSERT_TRUE(sets.has_value());
  ASSERT_EQ(sets->size(), 5u);
  EXPECT_LE(model.rounds().size(), 4u);
  EXPECT_EQ(model.rounds().front().rows, 5);
  int64_t tokens = 0;
  for (const TokenSet& set : *sets) tokens += static_cast<int64_t>(set.tokens.size());
  EXPECT_EQ(usage.tokens_generated, tokens);
  EXPECT_EQ(usage.calls, 1);
}

TEST_F(ScriptedModelTest, ADrawDependsOnItsKeyAlone) {
  const Until until{.max_tokens = 12, .stop_strings = {}};
  const auto together = Continue(Draws(4, RandomKey(9)), until);
  for (int i = 0; i < 4; ++i) {
    const auto alone = Continue({Draws(4, RandomKey(9))[i]}, until);
    EXPECT_EQ((*alone)[0].tokens, (*together)[i].tokens);
    EXPECT_EQ((*alone)[0].text, (*together)[i].text);
  }
}

TEST_F(ScriptedModelTest, LogProbsAgreeWithLogProb) {
  const auto sets = Continue(Draws(1, RandomKey(2)), {.max_tokens = 6, .stop_strings = {}});
  const TokenSet& set = sets->front();
  Executor executor({&model});
  const auto log_probs = executor.Run(model.LogProb(start, set.text, call));
  ASSERT_EQ(log_probs->size(), set.tokens.size());
  for (size_t i = 0; i < set.tokens.size(); ++i) {
    EXPECT_NEAR((*log_probs)[i], set.model_log_probs[i], 1e-6);
  }
  EXPECT_EQ(model.Length(set.end), model.Length(start) + static_cast<int>(set.tokens.size()));
}

TEST_F(ScriptedModelTest, ClausesAndStopStringsEndAContinuation) {
  for (int seed = 0; seed < 20; ++seed) {
    const auto clause =
        Continue(Draws(1, RandomKey(seed)), {.max_tokens = 50, .clause = true, .stop_strings = {}});
    const TokenSet& set = clause->front();
    if (set.finish == FinishReason::kClause) {
      EXPECT_EQ(set.text.find_first_of(",."), set.text.size() - 1);
    } else {
      EXPECT_EQ(set.finish, FinishReason::kEndOfText);
    }
    const auto stopped =
        Continue(Draws(1, RandomKey(seed)), {.max_tokens = 50, .stop_strings = {"day", " ba"}});
    EXPECT_EQ(stopped->front().text.find("day"), std::string::npos);
    EXPECT_EQ(stopped->front().text.find(" ba"), std::string::npos);
  }
}

TEST_F(ScriptedModelTest, TopTokensAndChooseAreTheDistribution) {
  Executor executor({&model});
  const auto top = executor.Run(model.TopTokens(start, 100, call));
  ASSERT_EQ(top->size(), Words().size() + 1);  // The end of text as well; no byte token.
  double sum = 0;
  for (const TokenProbability& token : *top) sum += std::exp(token.log_prob);
  EXPECT_NEAR(sum, 1, 1e-6);
  std::vector<Branch> branches{start, start};
  std::vector<std::string> options{"good", " bad"};
  const auto chosen = executor.Run(model.Choose(branches, options, call));
  for (const TokenProbability& token : *top) {
    if (token.text == " bad") {
      EXPECT_NEAR((*chosen)[1][1], token.log_prob, 1e-9);
    }
  }
  std::vector<std::string> clashing{"good", "good day"};
  EXPECT_EQ(executor.Run(model.Choose(branches, clashing, call)).error().code,
            ErrorCode::kUnsupported);
}

TEST_F(ScriptedModelTest, EmbeddingsHaveUnitLengthAndIgnoreOrder) {
  Executor executor({&model});
  std::vector<std::string> texts{"good day", " daygood", "good bad", ""};
  const auto embedded = executor.Run(model.Embed(texts, call));
  for (const std::vector<float>& vector : *embedded) {
    double norm = 0;
    for (const float x : vector) norm += double{x} * x;
    EXPECT_NEAR(norm, 1, 1e-5);
  }
  EXPECT_THAT((*embedded)[0], ::testing::Pointwise(::testing::FloatNear(1e-6), (*embedded)[1]));
  EXPECT_NE((*embedded)[0], (*embedded)[2]);
}

TEST_F(ScriptedModelTest, FailsAndStopsAsScripted) {
  ScriptedOptions options = Hashed(1);
  options.failure = [](int number, std::string_view verb) -> std::optional<Error> {
    if (number == 1 && verb == "Continue") return Error{ErrorCode::kNetwork, "gone", ""};
    return std::nullopt;
  };
  ScriptedModel failing(options);
  Executor executor({&failing});
  const Branch begin = *failing.Open(PlainPrompt("good"));
  const Until until{.max_tokens = 3, .stop_strings = {}};
  EXPECT_TRUE(executor.Run(failing.Continue(begin, Draws(1, RandomKey(1)), until, call)));
  EXPECT_EQ(executor.Run(failing.Continue(begin, Draws(1, RandomKey(1)), until, call)).error().code,
            ErrorCode::kNetwork);
  stop.request_stop();
  EXPECT_EQ(executor.Run(failing.Continue(begin, Draws(1, RandomKey(1)), until, call)).error().code,
            ErrorCode::kCancelled);
}

TEST(ScriptedModel, RefusesPathsThatDoNotFit) {
  ScriptedOptions options = Hashed(1);
  options.context_tokens = 3;
  ScriptedModel model(options);
  EXPECT_EQ(model.Open(PlainPrompt("good day day day")).error().code, ErrorCode::kTooLong);
}

}  // namespace
}  // namespace plumbline
