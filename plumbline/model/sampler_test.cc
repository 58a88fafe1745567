#include "plumbline/model/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace plumbline {
namespace {

using ::testing::ElementsAre;

const Draw kPlain{.sampling = {}, .key = RandomKey(), .greedy = false};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<float> RandomLogits(size_t count, uint64_t seed) {
  RandomStream random{RandomKey(seed)};
  std::vector<float> logits(count);
  for (float& logit : logits) {
    // Coarse, so that ties happen.
    logit = static_cast<float>(std::round(random.NextUniform() * 160) / 8 - 10);
  }
  return logits;
}

/// The documented rule, written to be obvious: sorts everything, in double throughout.
/// Returns the log-probability of each id, -infinity if it was cut.
std::vector<double> NaiveLogProbs(std::span<const float> logits, std::span<const TokenId> path,
                                  const Sampling& rule) {
  std::vector<double> x(logits.begin(), logits.end());
  const size_t window = std::min<size_t>(rule.penalty_window, path.size());
  for (const TokenId token : path.last(window)) {
    const double logit = logits[token];
    x[token] = logit > 0 ? logit / rule.repetition_penalty : logit * rule.repetition_penalty;
  }
  std::vector<TokenId> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return x[a] > x[b]; });
  if (rule.top_k > 0 && rule.top_k < static_cast<int>(order.size())) order.resize(rule.top_k);
  const double max = x[order.front()];
  double total = 0;
  for (const TokenId token : order) total += std::exp(x[token] - max);
  size_t count = 0;
  double mass = 0;
  while (count < order.size() && (count == 0 || mass < rule.top_p * total * (1 - 1e-6))) {
    mass += std::exp(x[order[count++]] - max);
  }
  if (rule.top_p < 1) order.resize(count);
  std::erase_if(order, [&](int token) { return std::exp(x[token] - max) < rule.min_p; });
  double sum = 0;
  for (const TokenId token : order) sum += std::exp((x[token] - max) / rule.temperature);
  std::vector<double> result(x.size(), -kInfinity);
  for (const TokenId token : order) {
    result[token] = (x[token] - max) / rule.temperature - std::log(sum);
  }
  return result;
}

TokenId NaivePick(const std::vector<double>& log_probs, double uniform) {
  double cumulated = 0;
  TokenId last = 0;
  for (size_t i = 0; i < log_probs.size(); ++i) {
    if (log_probs[i] == -kInfinity) continue;
    cumulated += std::exp(log_probs[i]);
    last = static_cast<TokenId>(i);
    if (cumulated > uniform) break;
  }
  return last;
}

std::vector<Sampling> Rules() {
  std::vector<Sampling> rules(1);
  rules.push_back({.temperature = 0.7});
  rules.push_back({.temperature = 2.5});
  rules.push_back({.top_k = 15});
  rules.push_back({.top_k = 1});
  rules.push_back({.top_k = 100000});
  rules.push_back({.top_p = 0.9});
  rules.push_back({.top_p = 0.999});
  rules.push_back({.min_p = 0.05});
  rules.push_back({.repetition_penalty = 1.3});
  rules.push_back({.repetition_penalty = 0.8, .penalty_window = 3, .top_k = 40});
  rules.push_back({.top_k = 50, .top_p = 0.8, .min_p = 0.02, .temperature = 0.5});
  rules.push_back({.repetition_penalty = 1.1, .top_p = 0.95, .temperature = 1.5});
  return rules;
}

class SamplerAgainstNaive : public ::testing::TestWithParam<size_t> {};

TEST_P(SamplerAgainstNaive, PicksTheSameTokensWithTheSameProbabilities) {
  const size_t vocabulary = GetParam();
  TokenSampler sampler;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const std::vector<float> logits = RandomLogits(vocabulary, seed);
    std::vector<TokenId> path;
    RandomStream random{RandomKey(seed + 1000)};
    for (int i = 0; i < 9; ++i) path.push_back(static_cast<TokenId>(random.NextBelow(vocabulary)));
    const std::vector<double> model = NaiveLogProbs(logits, {}, Sampling{});
    sampler.SetLogits(logits);
    for (const Sampling& rule : Rules()) {
      const std::vector<double> expected = NaiveLogProbs(logits, path, rule);
      for (int draw = 0; draw < 20; ++draw) {
        const double uniform = random.NextUniform();
        const SampledToken token = sampler.Sample(rule, path, uniform);
        ASSERT_EQ(token.token, NaivePick(expected, uniform));
        EXPECT_NEAR(token.log_prob, expected[token.token], 2e-6);
        EXPECT_NEAR(token.model_log_prob, model[token.token], 2e-6);
      }
      const SampledToken greedy = sampler.Greedy(rule, path);
      EXPECT_EQ(greedy.token,
                std::max_element(expected.begin(), expected.end()) - expected.begin());
      EXPECT_NEAR(greedy.log_prob, expected[greedy.token], 2e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, SamplerAgainstNaive,
                         ::testing::Values(1, 2, 17, 63, 64, 65, 1000, 5003));

TEST(TokenSampler, ModelProbabilitiesSumToOne) {
  TokenSampler sampler;
  for (const size_t vocabulary : {3, 200, 49152}) {
    const std::vector<float> logits = RandomLogits(vocabulary, vocabulary);
    sampler.SetLogits(logits);
    double sum = 0;
    for (size_t i = 0; i < vocabulary; ++i) sum += std::exp(sampler.ModelLogProb(i));
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST(TokenSampler, FrequenciesFollowTheProbabilities) {
  const std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  RandomStream random{RandomKey(7)};
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts[sampler.Next(kPlain, {}, random).token];
  EXPECT_NEAR(counts[0] / 30000.0, 0.5, 0.01);
  EXPECT_NEAR(counts[1] / 30000.0, 0.3, 0.01);
  EXPECT_NEAR(counts[2] / 30000.0, 0.2, 0.01);
}

TEST(TokenSampler, WalksTheKeptTokensInTheOrderOfTheirIds) {
  const std::vector<float> logits{std::log(0.2f), std::log(0.5f), std::log(0.3f)};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  EXPECT_EQ(sampler.Sample({}, {}, 0.0).token, 0);
  EXPECT_EQ(sampler.Sample({}, {}, 0.19).token, 0);
  EXPECT_EQ(sampler.Sample({}, {}, 0.21).token, 1);
  EXPECT_EQ(sampler.Sample({}, {}, 0.71).token, 2);
  EXPECT_EQ(sampler.Sample({}, {}, 1 - 0x1.0p-53).token, 2);
  // Without the least likely one: 1 has 5/8, 2 has 3/8.
  const Sampling two{.top_k = 2};
  EXPECT_EQ(sampler.Sample(two, {}, 0.62).token, 1);
  EXPECT_EQ(sampler.Sample(two, {}, 0.63).token, 2);
  EXPECT_NEAR(sampler.Sample(two, {}, 0.0).log_prob, std::log(5.0 / 8), 1e-6);
}

TEST(TokenSampler, TopPKeepsTheSmallestSetWithTheMass) {
  const std::vector<float> logits{std::log(0.25f), std::log(0.25f), std::log(0.5f)};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  EXPECT_EQ(sampler.Sample({.top_p = 0.5}, {}, 0.99).token, 2);
  EXPECT_NEAR(sampler.Sample({.top_p = 0.5}, {}, 0.99).log_prob, 0, 1e-6);
  // Of two equals the smaller id comes first into the set.
  EXPECT_EQ(sampler.Sample({.top_p = 0.7}, {}, 0.0).token, 0);
  EXPECT_NEAR(sampler.Sample({.top_p = 0.7}, {}, 0.0).log_prob, std::log(1.0 / 3), 1e-6);
  EXPECT_EQ(sampler.Sample({.top_p = 0.7}, {}, 0.34).token, 2);
}

TEST(TokenSampler, MinPIsRelativeToTheLargest) {
  const std::vector<float> logits{std::log(0.6f), std::log(0.3f), std::log(0.1f)};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  EXPECT_EQ(sampler.Sample({.min_p = 0.2}, {}, 0.999).token, 1);
  EXPECT_EQ(sampler.Sample({.min_p = 0.1}, {}, 0.999).token, 2);
}

TEST(TokenSampler, RepetitionPenaltyCountsEachTokenOnceWithinItsWindow) {
  const std::vector<float> logits{2.0f, 1.5f, -1.0f};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  const Sampling rule{.repetition_penalty = 2, .penalty_window = 2};
  const std::vector<TokenId> twice{1, 0, 0};  // The 1 is outside the window.
  EXPECT_EQ(sampler.Greedy(rule, twice).token, 1);
  const double log_sum = std::log(std::exp(1.0) + std::exp(1.5) + std::exp(-1.0));
  EXPECT_NEAR(sampler.Greedy(rule, twice).log_prob, 1.5 - log_sum, 1e-6);
  EXPECT_EQ(sampler.Greedy(Sampling{}, twice).token, 0);
  const std::vector<TokenId> negative{2};
  const double pushed = std::log(std::exp(2.0) + std::exp(1.5) + std::exp(-2.0));
  EXPECT_NEAR(sampler.Greedy(rule, negative).log_prob, 2.0 - pushed, 1e-6);
}

TEST(TokenSampler, TemperatureZeroIsGreedyAndDrawsNothing) {
  const std::vector<float> logits{1, 3, 3};
  TokenSampler sampler;
  sampler.SetLogits(logits);
  RandomStream random{RandomKey(3)};
  RandomStream untouched = random;
  Draw cold{.sampling = {.temperature = 0}, .key = RandomKey(), .greedy = false};
  const Draw greedy{.sampling = {}, .key = RandomKey(), .greedy = true};
  EXPECT_EQ(sampler.Next(cold, {}, random).token, 1);
  EXPECT_EQ(sampler.Next(cold, {}, random).log_prob, 0);
  EXPECT_EQ(sampler.Next(greedy, {}, random).token, 1);
  EXPECT_NEAR(sampler.Next(greedy, {}, random).log_prob,
              3 - std::log(std::exp(1) + 2 * std::exp(3)), 1e-6);
  EXPECT_EQ(random.NextBits(), untouched.NextBits());
}

TEST(TokenSampler, EachDrawTakesOneNumber) {
  const std::vector<float> logits = RandomLogits(300, 5);
  TokenSampler sampler;
  sampler.SetLogits(logits);
  RandomStream random{RandomKey(11)};
  RandomStream twin = random;
  sampler.Next(kPlain, {}, random);
  sampler.Next(Draw{.sampling = {.top_k = 15}, .key = RandomKey(), .greedy = false}, {}, random);
  twin.NextUniform();
  twin.NextUniform();
  EXPECT_EQ(random.NextBits(), twin.NextBits());
}

TEST(TokenSampler, ImpossibleTokensAreNeverDrawn) {
  std::vector<float> logits(150, -std::numeric_limits<float>::infinity());
  logits[70] = -5;
  logits[71] = -200;  // Possible in principle; too unlikely for float weights.
  TokenSampler sampler;
  sampler.SetLogits(logits);
  for (const double uniform : {0.0, 0.5, 1 - 0x1.0p-53}) {
    for (const Sampling& rule : Rules()) EXPECT_EQ(sampler.Sample(rule, {}, uniform).token, 70);
  }
}

TEST(TokenSampler, TopRanksTiesById) {
  std::vector<float> logits(200, 0.0f);
  logits[150] = 2;
  logits[20] = 2;
  logits[199] = 1;
  TokenSampler sampler;
  sampler.SetLogits(logits);
  EXPECT_THAT(sampler.Top(5), ElementsAre(20, 150, 199, 0, 1));
  EXPECT_THAT(sampler.Top(2), ElementsAre(20, 150));
  EXPECT_EQ(sampler.Top(1000).size(), 200u);
}

TEST(TokenSampler, ANewRowForgetsTheOld) {
  TokenSampler sampler;
  const std::vector<float> first{5, 0, 0};
  const std::vector<float> second{0, 0, 5, 1};
  sampler.SetLogits(first);
  EXPECT_EQ(sampler.Top(1)[0], 0);
  sampler.SetLogits(second);
  EXPECT_EQ(sampler.Top(1)[0], 2);
  EXPECT_EQ(sampler.Sample({.top_k = 1}, {}, 0.5).token, 2);
  EXPECT_NEAR(sampler.ModelLogProb(2), 5 - std::log(2 + std::exp(5) + std::exp(1)), 1e-6);
}

}  // namespace
}  // namespace plumbline
