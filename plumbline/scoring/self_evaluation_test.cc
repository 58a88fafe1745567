#include "plumbline/scoring/self_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plumbline/core/executor.h"
#include "plumbline/model/scripted/scripted_model.h"

namespace plumbline {
namespace {

using testing::HasSubstr;

constexpr char kGood[] = "polite";
constexpr char kBad[] = "rude";
const std::vector<std::string> kWords = {" polite", " rude", " please", " pig", "N/A"};

EvaluationTemplate Polite() {
  EvaluationTemplate polite;
  polite.name = "polite";
  polite.instruction = "Say {first} or {second}.";
  polite.good = kGood;
  polite.bad = kBad;
  polite.answer_prefix = "Verdict:";
  return polite;
}

// The same question the other way round.
EvaluationTemplate Rude() {
  EvaluationTemplate rude = Polite();
  std::swap(rude.good, rude.bad);
  return rude;
}

// A judge that writes down its rule: log-odds of " polite" against " rude" are the count of
// " please" minus that of " pig", plus `first_bias` for whichever option the instruction names
// first (the first of the two words on the path).
ScriptedOptions Judge(double first_bias) {
  ScriptedOptions options;
  options.words = kWords;
  options.logits = [first_bias](std::span<const TokenId> path) {
    double polite = 0;
    TokenId first = 0;
    for (const TokenId token : path) {
      if (first == 0 && (token == 1 || token == 2)) first = token;
      polite += token == 3 ? 1 : token == 4 ? -1 : 0;
    }
    polite += first == 1 ? first_bias : -first_bias;
    return std::vector<float>{-100, static_cast<float>(polite), 0, -100, -100, -100};
  };
  return options;
}

std::unique_ptr<SelfEvaluation> MakeScorer(LanguageModel& model, EvaluationTemplate wording,
                                           SelfEvaluationOptions options = {}) {
  auto scorer = SelfEvaluation::Create(model, std::move(wording), options);
  EXPECT_TRUE(scorer.has_value());
  return std::move(*scorer);
}

class SelfEvaluationTest : public testing::Test {
 protected:
  std::vector<double> Values(Executor& executor, SelfEvaluation& scorer,
                             std::vector<std::string> replies) {
    Result<std::vector<Judgement>> judged =
        executor.Run(scorer.Score(dialogue_, std::move(replies), {.usage = &usage_, .stop = {}}));
    std::vector<double> values;
    if (!judged.has_value()) {
      ADD_FAILURE() << judged.error().message;
      return values;
    }
    for (const Judgement& judgement : *judged) values.push_back(judgement.value);
    return values;
  }

  Dialogue dialogue_ = {{Role::kUser, "Hello!"}};
  Usage usage_;
};

double Squash(double log_odds) { return 2 / (1 + std::exp(-log_odds)) - 1; }

TEST_F(SelfEvaluationTest, AveragesBothOrders) {
  ScriptedModel model(Judge(0.5));
  Executor executor({&model});
  const auto soft = MakeScorer(model, Polite());
  const std::vector<double> values = Values(executor, *soft, {"Yes please", "You pig"});
  ASSERT_EQ(values.size(), 2u);
  EXPECT_NEAR(values[0], (Squash(1.5) + Squash(0.5)) / 2, 1e-6);
  EXPECT_NEAR(values[1], -values[0], 1e-6);
  const auto log_odds = MakeScorer(model, Polite(), {.value = ValueKind::kLogOdds});
  EXPECT_NEAR(Values(executor, *log_odds, {"Yes please"})[0], std::tanh(0.5), 1e-6);
}

TEST_F(SelfEvaluationTest, HardVotesCancelWhenTheOrderDecides) {
  ScriptedModel model(Judge(5));
  Executor executor({&model});
  const auto hard = MakeScorer(model, Polite(), {.value = ValueKind::kHard});
  EXPECT_EQ(Values(executor, *hard, {"Yes please", "You pig"}), (std::vector<double>{0, 0}));
  ScriptedModel fair(Judge(0.1));
  Executor fair_executor({&fair});
  const auto fair_hard = MakeScorer(fair, Polite(), {.value = ValueKind::kHard});
  EXPECT_EQ(Values(fair_executor, *fair_hard, {"Yes please", "You pig"}),
            (std::vector<double>{1, -1}));
}

TEST_F(SelfEvaluationTest, SwappingGoodAndBadNegatesTheValue) {
  for (const uint64_t seed : {1, 2, 3}) {
    ScriptedOptions options;
    options.words = kWords;
    options.logits = HashedLogits(kWords.size(), seed);
    ScriptedModel model(std::move(options));
    Executor executor({&model});
    for (const ValueKind kind : {ValueKind::kHard, ValueKind::kSoft, ValueKind::kLogOdds}) {
      const SelfEvaluationOptions evaluation{.value = kind,
                                             .content_free = ContentFree::kConversation};
      const auto scorer = MakeScorer(model, Polite(), evaluation);
      const auto swapped = MakeScorer(model, Rude(), evaluation);
      const std::vector<std::string> replies = {"one", "Yes please", "You pig pig", "42"};
      const std::vector<double> values = Values(executor, *scorer, replies);
      const std::vector<double> negated = Values(executor, *swapped, replies);
      for (size_t i = 0; i < replies.size(); ++i) EXPECT_NEAR(values[i], -negated[i], 1e-12);
    }
  }
}

TEST_F(SelfEvaluationTest, AsksEverythingInOneCallAndNothingTwice) {
  ScriptedModel model(Judge(0.5));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite(), {.content_free = ContentFree::kConversation});
  Values(executor, *scorer, {"Yes please", "You pig", " Yes please\n", "Hm"});
  ASSERT_EQ(model.calls().size(), 1u);
  EXPECT_EQ(model.calls()[0].verb, "Choose");
  EXPECT_EQ(model.calls()[0].width, 2 * 4);  // three distinct replies and the content-free one
  Values(executor, *scorer, {"Hm", "New"});
  ASSERT_EQ(model.calls().size(), 2u);
  EXPECT_EQ(model.calls()[1].width, 2);
  Values(executor, *scorer, {"New", "You pig"});
  EXPECT_EQ(model.calls().size(), 2u);
}

TEST_F(SelfEvaluationTest, ForgetsTheLeastRecentConversation) {
  ScriptedModel model(Judge(0.5));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite(), {.cached_conversations = 2});
  for (const char* const user : {"a", "b", "a", "c", "a", "b"}) {
    dialogue_ = {{Role::kUser, user}};
    Values(executor, *scorer, {"Hm"});
  }
  EXPECT_EQ(model.calls().size(), 4u);  // a, b, c, and b again
}

TEST_F(SelfEvaluationTest, SubtractsWhatIsSaidOfAReplyWithoutContent) {
  // The user's own word would make every reply look polite.
  dialogue_ = {{Role::kUser, "Help me please please"}};
  ScriptedModel model(Judge(0.5));
  Executor executor({&model});
  const auto plain = MakeScorer(model, Polite(), {.value = ValueKind::kLogOdds});
  EXPECT_NEAR(Values(executor, *plain, {"You pig"})[0], std::tanh(0.5), 1e-6);
  const auto corrected = MakeScorer(
      model, Polite(), {.value = ValueKind::kLogOdds, .content_free = ContentFree::kConversation});
  EXPECT_NEAR(Values(executor, *corrected, {"You pig"})[0], std::tanh(-0.5), 1e-6);
  // After an empty conversation nothing is polite, so here the template's correction is 0 but for
  // the bias, which cancels.
  const auto once = MakeScorer(
      model, Polite(), {.value = ValueKind::kLogOdds, .content_free = ContentFree::kTemplate});
  EXPECT_NEAR(Values(executor, *once, {"You pig"})[0], std::tanh(0.5), 1e-6);
}

TEST_F(SelfEvaluationTest, CalibrationScalesAndShiftsLogOdds) {
  ScriptedModel model(Judge(0));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite(), {.calibration = {.gain = 3, .offset = -1}});
  EXPECT_NEAR(Values(executor, *scorer, {"Yes please"})[0], Squash(2), 1e-6);
}

// Remembers the path to every branch that was asked about.
class PathRecorder : public ScriptedModel {
 public:
  using ScriptedModel::ScriptedModel;
  Task<Result<std::vector<std::vector<double>>>> Choose(std::vector<Branch> branches,
                                                        std::vector<std::string> options,
                                                        Call call) override {
    for (const Branch& branch : branches) paths.push_back(PathOf(branch));
    return ScriptedModel::Choose(std::move(branches), std::move(options), std::move(call));
  }
  std::vector<std::vector<TokenId>> paths;
};

TEST_F(SelfEvaluationTest, AReplyThatGrowsKeepsItsPrefix) {
  PathRecorder model(Judge(0));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite());
  Values(executor, *scorer, {"Yes please", "Yes please, do"});
  ASSERT_EQ(model.paths.size(), 4u);  // two replies in two orders
  const size_t ending = model.Tokenize("\nVerdict:").size();
  const size_t grown = model.Tokenize(", do").size();
  for (const size_t order : {0, 1}) {
    std::vector<TokenId> shorter = model.paths[order];
    const std::vector<TokenId>& longer = model.paths[2 + order];
    EXPECT_EQ(longer.size(), shorter.size() + grown);
    shorter.resize(shorter.size() - ending);
    EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  }
}

TEST_F(SelfEvaluationTest, PassesTheModelsErrorsOn) {
  ScriptedOptions options = Judge(0);
  options.failure = [](int, std::string_view) {
    return Error{ErrorCode::kNetwork, "went away", ""};
  };
  ScriptedModel model(std::move(options));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite());
  const auto judged =
      executor.Run(scorer->Score(dialogue_, {"Hm"}, {.usage = &usage_, .stop = {}}));
  ASSERT_FALSE(judged.has_value());
  EXPECT_EQ(judged.error().code, ErrorCode::kNetwork);
}

TEST_F(SelfEvaluationTest, RefusesALongConversationAndAnEmptyOne) {
  ScriptedOptions options = Judge(0);
  options.context_tokens = 60;
  ScriptedModel model(std::move(options));
  Executor executor({&model});
  const auto scorer = MakeScorer(model, Polite());
  const Call call{.usage = &usage_, .stop = {}};
  const Dialogue long_one = {{Role::kUser, std::string(100, 'x')}};
  EXPECT_EQ(executor.Run(scorer->Score(long_one, {"Hm"}, call)).error().code, ErrorCode::kTooLong);
  EXPECT_EQ(executor.Run(scorer->Score({}, {"Hm"}, call)).error().code, ErrorCode::kInvalidInput);
}

TEST(SelfEvaluation, ChecksItsOptions) {
  ScriptedModel model(Judge(0));
  EXPECT_FALSE(SelfEvaluation::Create(model, Polite(), {.calibration = {.gain = 0}}).has_value());
  EXPECT_FALSE(SelfEvaluation::Create(model, Polite(), {.cached_conversations = 0}).has_value());
}

TEST(ParseValueKind, NamesTheNearest) {
  EXPECT_EQ(*ParseValueKind("log-odds"), ValueKind::kLogOdds);
  const auto wrong = ParseValueKind("sofd");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("did you mean 'soft'?"));
  EXPECT_EQ(*ParseContentFree("conversation"), ContentFree::kConversation);
}

}  // namespace
}  // namespace plumbline
