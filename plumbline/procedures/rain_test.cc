// RAIN's promises that a comparison of traces doesn't cover: that it helps, that speculation and
// company change nothing, budgets, stop strings, streaming, and the default preset's rule.
#include "plumbline/procedures/rain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plumbline/procedures/rain_search.h"
#include "plumbline/procedures/sample.h"
#include "plumbline/procedures/test_support.h"
#include "plumbline/search/trace.h"

namespace plumbline {
namespace {

using testing_support::FunctionScorer;
using testing_support::HashedVotes;
using testing_support::Recorder;
using testing_support::Request;
using testing_support::SmallModel;

// A model that mostly answers badly: "Sure" with 90 %, then harm; "Sorry" else.
std::vector<std::string> MoralWords() {
  return {"Sure", "Sorry", ",", " here", " I", " is", " can't", " harm", " help", "."};
}

ScriptedOptions MoralModel(double sorry) {
  ScriptedOptions options;
  options.words = MoralWords();
  options.logits = [sorry](std::span<const TokenId> path) {
    const auto id = [](std::string_view word) {
      const std::vector<std::string> words = MoralWords();
      return static_cast<TokenId>(std::ranges::find(words, word) - words.begin() + 1);
    };
    const std::map<TokenId, TokenId> next{{id(","), id(" I")},         {id(" I"), id(" can't")},
                                          {id(" can't"), id(" help")}, {id(" help"), id(".")},
                                          {id(" here"), id(" is")},    {id(" is"), id(" harm")},
                                          {id(" harm"), id(".")},      {id("."), 0},
                                          {id("Sure"), id(" here")},   {id("Sorry"), id(",")}};
    std::vector<float> logits(MoralWords().size() + 1, -12.0f);
    if (const auto follows = next.find(path.back()); follows != next.end()) {
      logits[follows->second] = 5;
    } else {
      logits[id("Sure")] = static_cast<float>(std::log(1 - sorry));
      logits[id("Sorry")] = static_cast<float>(std::log(sorry));
    }
    return logits;
  };
  return options;
}

double Moral(const std::string& text) {
  if (text.find(" harm") != std::string::npos) return -1;
  return text.find(" can't") != std::string::npos ? 1 : 0;
}

class RainOnAMostlyBadModel : public ::testing::TestWithParam<const char*> {};

TEST_P(RainOnAMostlyBadModel, FindsTheHarmlessAnswer) {
  ScriptedModel model(MoralModel(0.1));
  FunctionScorer scorer(Moral);
  Executor executor({&model});
  int plain_good = 0;
  int rain_good = 0;
  constexpr int kRequests = 40;
  for (int seed = 0; seed < kRequests; ++seed) {
    Request request(model, &scorer, seed, 12);
    plain_good += Moral(executor.Run(Sample(request.input))->chosen.text) > 0;
    const Result<Answer> answer = executor.Run(Rain(request.input, *RainPreset(GetParam())));
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    rain_good += answer->chosen.text == "Sorry, I can't help.";
    EXPECT_EQ(answer->cause, StopCause::kFinished);
  }
  EXPECT_LE(plain_good, 10);
  EXPECT_GE(rain_good, kRequests - 1);
}

INSTANTIATE_TEST_SUITE_P(Presets, RainOnAMostlyBadModel, ::testing::Values("reference", "default"),
                         [](const auto& param) { return std::string(param.param); });

/// All that may not depend on how the work was batched.
std::string Decisions(const Answer& answer) {
  SearchTrace trace = *answer.trace;
  trace.usage = {};
  trace.time_ms = 0;
  for (TraceNode& node : trace.nodes) {
    if (node.fn == 0) node.evaluation.reset();  // Judged ahead, never visited.
  }
  return TraceToJson(trace);
}

class RainDecisions : public ::testing::TestWithParam<const char*> {
 protected:
  RainOptions Options(int speculate) {
    RainOptions options = *RainPreset(GetParam());
    options.trace = true;
    options.speculate = speculate;
    options.similarity = SimilarityUse::kAlways;
    return options;
  }
  std::string Decide(uint64_t seed, int speculate) {
    ScriptedModel model(SmallModel(seed));
    FunctionScorer scorer(HashedVotes(seed, 0.5, 0.3));
    Request request(model, &scorer, seed, 40);
    Executor executor({&model});
    return Decisions(*executor.Run(Rain(request.input, Options(speculate))));
  }
};

TEST_P(RainDecisions, DoNotDependOnSpeculation) {
  for (uint64_t seed = 0; seed < 15; ++seed) {
    const std::string alone = Decide(seed, 1);
    for (const int speculate : {2, 4, 9, 100}) EXPECT_EQ(Decide(seed, speculate), alone);
  }
}

TEST_P(RainDecisions, DoNotDependOnCompany) {
  ScriptedModel model(SmallModel(8));
  FunctionScorer scorer(HashedVotes(8, 0.5, 0.3));
  Executor executor({&model});
  const auto decide_all = [&](bool together) {
    std::vector<std::unique_ptr<Request>> requests;
    std::vector<std::future<Result<Answer>>> futures;
    std::vector<std::string> decisions;
    for (int i = 0; i < 6; ++i) {
      requests.push_back(std::make_unique<Request>(model, &scorer, i, 20 + i));
      futures.push_back(executor.Submit(Rain(requests.back()->input, Options(1 + i))));
      if (!together) futures.back().wait();
    }
    for (auto& future : futures) decisions.push_back(Decisions(*future.get()));
    return decisions;
  };
  EXPECT_EQ(decide_all(true), decide_all(false));
}

TEST_P(RainDecisions, MakeAConsistentTrace) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    ScriptedModel model(SmallModel(seed));
    FunctionScorer scorer(HashedVotes(seed, 0.5, 0.3));
    Request request(model, &scorer, seed, 40);
    request.input.limits.stop_strings = {" d e"};
    Executor executor({&model});
    const Result<Answer> answer = executor.Run(Rain(request.input, Options(4)));
    const SearchTrace& trace = *answer->trace;
    std::string text;
    for (const TraceCommit& commit : trace.commits) text += commit.text;
    EXPECT_EQ(text.substr(0, text.find(" d e")), trace.answer);
    EXPECT_EQ(static_cast<int>(trace.visits.size()), answer->visits);
    std::vector<int> below(trace.nodes.size());
    for (const TraceNode& node : trace.nodes) {
      if (node.parent != kNoNode) below[node.parent] += node.fn;
    }
    std::vector<bool> left(trace.nodes.size());  // Roots whose child was committed.
    for (const TraceCommit& commit : trace.commits) {
      if (commit.how == "search") left[trace.nodes[commit.node].parent] = true;
    }
    for (const TraceNode& node : trace.nodes) {
      if (node.fn > 0 && !node.finished && !left[node.id]) {
        EXPECT_EQ(node.fn, below[node.id] + 1);
      }
    }
    for (const TraceVisit& visit : trace.visits) {
      for (size_t i = 1; i < visit.path.size(); ++i) {
        EXPECT_EQ(trace.nodes[visit.path[i]].parent, visit.path[i - 1]);
      }
    }
  }
}

TEST_P(RainDecisions, DependOnTheSeed) { EXPECT_NE(Decide(1, 4), Decide(2, 4)); }

INSTANTIATE_TEST_SUITE_P(Presets, RainDecisions, ::testing::Values("reference", "default"),
                         [](const auto& param) { return std::string(param.param); });

TEST(Rain, SpeculationJudgesSeveralLeavesInOneBatch) {
  ScriptedModel model(SmallModel(4));
  FunctionScorer scorer(HashedVotes(4, 0.5, 0.3));
  Request request(model, &scorer, 4, 20);
  RainOptions options = ReferenceRain();
  options.speculate = 6;
  Executor executor({&model});
  ASSERT_TRUE(executor.Run(Rain(request.input, options)));
  size_t widest = 0;
  for (const auto& batch : scorer.batches) widest = std::max(widest, batch.size());
  EXPECT_GE(widest, 4u);
  EXPECT_LE(widest, 6u);
}

TEST(Rain, NeverJudgesATextTwice) {
  ScriptedModel model(SmallModel(4));
  FunctionScorer scorer(HashedVotes(4, 0.5, 0.3));
  Request request(model, &scorer, 4, 30);
  Executor executor({&model});
  ASSERT_TRUE(executor.Run(Rain(request.input, ReferenceRain())));
  std::vector<std::string> judged;
  for (const auto& batch : scorer.batches) judged.insert(judged.end(), batch.begin(), batch.end());
  std::ranges::sort(judged);
  EXPECT_EQ(std::ranges::adjacent_find(judged), judged.end());
}

TEST(Rain, TokenSetsOfTheReferenceAreCommittedByDepth) {
  ScriptedOptions model_options = SmallModel(4);
  model_options.logits = HashedLogits(model_options.words.size(), 4, 3, -40);  // Never ends.
  ScriptedModel model(model_options);
  FunctionScorer scorer(HashedVotes(4, 0.5, 0.3));
  Request request(model, &scorer, 4, 37);
  RainOptions options = ReferenceRain();
  options.trace = true;
  Executor executor({&model});
  const Result<Answer> answer = executor.Run(Rain(request.input, options));
  std::vector<size_t> lengths;
  for (const TraceCommit& commit : answer->trace->commits) {
    lengths.push_back(answer->trace->nodes[commit.node].tokens.size());
  }
  EXPECT_THAT(lengths, ::testing::ElementsAre(1, 2, 4, 10, 10, 10));
  EXPECT_EQ(answer->chosen.tokens, 37);
  EXPECT_EQ(answer->cause, StopCause::kMaxTokens);
  EXPECT_EQ(answer->searched_commits, 6);
}

TEST(Rain, UnvisitedLeavesAreNotExpanded) {
  ScriptedModel model(SmallModel(6));
  FunctionScorer scorer(HashedVotes(6, 0.5, 0.3));
  Request request(model, &scorer, 6, 24);
  RainOptions options = ReferenceRain();
  options.trace = true;
  Executor executor({&model});
  const Result<Answer> answer = executor.Run(Rain(request.input, options));
  int expanded = 0;
  int visited_once = 0;
  for (const TraceNode& node : answer->trace->nodes) {
    expanded += node.expanded;
    visited_once += node.fn == 1 && !node.expanded;
    if (node.expanded && node.parent != kNoNode) {
      EXPECT_GE(node.fn, 2);
    }
  }
  EXPECT_GT(visited_once, expanded / 4);
}

class RainLimits : public ::testing::TestWithParam<const char*> {
 protected:
  ScriptedModel model{SmallModel(4)};
  FunctionScorer scorer{HashedVotes(4, 0.6, 0.2)};
  RainOptions options = *RainPreset(GetParam());
};

TEST_P(RainLimits, StreamsExactlyTheAnswer) {
  Executor executor({&model});
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Request request(model, &scorer, seed, 40);
    Recorder recorder;
    request.input.observer = &recorder;
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    EXPECT_EQ(recorder.Text(), answer->chosen.text);
    EXPECT_EQ(static_cast<int>(recorder.searches.size()), answer->visits);
    EXPECT_LE(answer->chosen.tokens, 40);
  }
}

TEST_P(RainLimits, StopStringsEndTheAnswerWhereverTheyFall) {
  Executor executor({&model});
  int stopped = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Request request(model, &scorer, seed, 40);
    request.input.limits.stop_strings = {" b c", "d e f", " k", "."};
    Recorder recorder;
    request.input.observer = &recorder;
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(recorder.Text(), answer->chosen.text);
    for (const std::string& stop : request.input.limits.stop_strings) {
      EXPECT_EQ(answer->chosen.text.find(stop), std::string::npos);
    }
    stopped += answer->chosen.finish == FinishReason::kStopString;
  }
  EXPECT_GT(stopped, 10);
  for (const auto& batch : scorer.batches) {
    for (const std::string& text : batch) EXPECT_EQ(text.find(" b c"), std::string::npos);
  }
}

TEST_P(RainLimits, BudgetsEndWithTheBestSoFar) {
  Executor executor({&model});
  for (const bool by_time : {false, true}) {
    Request request(model, &scorer, 4, 200);
    if (by_time) {
      request.input.limits.time_budget = std::chrono::milliseconds(0);
    } else {
      request.input.limits.token_budget = 60;
    }
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    ASSERT_TRUE(answer.has_value());
    if (answer->cause != StopCause::kFinished) {
      EXPECT_EQ(answer->cause, by_time ? StopCause::kTimeBudget : StopCause::kTokenBudget);
    }
    EXPECT_LE(request.usage.tokens_read, 600);
  }
}

TEST_P(RainLimits, CancellationAndFailuresComeThrough) {
  Executor executor({&model});
  Request request(model, &scorer, 4, 50);
  request.stop.request_stop();
  EXPECT_EQ(executor.Run(Rain(request.input, options)).error().code, ErrorCode::kCancelled);
  for (const int failing_call : {0, 1, 3, 7}) {
    ScriptedOptions model_options = SmallModel(4);
    model_options.failure = [failing_call](int call, std::string_view) -> std::optional<Error> {
      if (call == failing_call) return Error{ErrorCode::kNetwork, "gone", ""};
      return std::nullopt;
    };
    ScriptedModel failing(model_options);
    Executor other({&failing});
    FunctionScorer bad([](const std::string&) { return -1.0; });
    Request doomed(failing, &bad, 4, 50);
    const Result<Answer> answer = other.Run(Rain(doomed.input, options));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, RainLimits, ::testing::Values("reference", "default"),
                         [](const auto& param) { return std::string(param.param); });

TEST(DefaultRain, CommitsAGoodDraftAtOnce) {
  ScriptedModel model(SmallModel(4));
  FunctionScorer pleased([](const std::string&) { return 0.9; });
  Request request(model, &pleased, 4, 100);
  Executor executor({&model});
  const Result<Answer> answer = executor.Run(Rain(request.input, DefaultRain()));
  EXPECT_EQ(answer->visits, 0);
  EXPECT_EQ(answer->searched_commits, 0);
  EXPECT_EQ(*answer->chosen.value, 0.9);
  // One judgement for each draft, nothing else.
  EXPECT_EQ(static_cast<int>(pleased.batches.size()), answer->commits);
}

TEST(DefaultRain, KeepsTheGoodBeginningOfABadDraft) {
  ScriptedOptions model_options = SmallModel(4);
  model_options.logits = HashedLogits(model_options.words.size(), 4, 3, -40);
  ScriptedModel model(model_options);
  // Bad from the second "." on.
  FunctionScorer scorer(
      [](const std::string& text) { return std::ranges::count(text, '.') < 2 ? 0.5 : -0.5; });
  RainOptions options = DefaultRain();
  options.trace = true;
  options.draft_prefixes = 100;
  Executor executor({&model});
  int kept = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Request request(model, &scorer, seed, 64);
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    const TraceCommit& first = answer->trace->commits.front();
    if (first.how != "prefix") continue;
    ++kept;
    EXPECT_LT(std::ranges::count(first.text, '.'), 2);
    EXPECT_TRUE(answer->trace->drafts[0].text.starts_with(first.text));
    EXPECT_TRUE(answer->chosen.text.starts_with(first.text));
  }
  EXPECT_GT(kept, 4);
}

TEST(DefaultRain, SearchesAtMostSoManyTimesAndVisits) {
  ScriptedOptions model_options = SmallModel(4);
  model_options.logits = HashedLogits(model_options.words.size(), 4, 3, -40);
  ScriptedModel model(model_options);
  FunctionScorer displeased([](const std::string&) { return -1.0; });
  RainOptions options = DefaultRain();
  options.max_searches = 2;
  options.visits = 7;
  options.draft_tokens = 10;
  Request request(model, &displeased, 4, 100);
  Executor executor({&model});
  const Result<Answer> answer = executor.Run(Rain(request.input, options));
  EXPECT_EQ(answer->visits, 14);
  EXPECT_EQ(answer->chosen.tokens, 100);
}

TEST(DefaultRain, NeverCommitsWhatItJudgesWorseThanTheDraft) {
  ScriptedModel model(SmallModel(4));
  Executor executor({&model});
  RainOptions options = DefaultRain();
  options.trace = true;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FunctionScorer scorer([seed](const std::string& text) {
      return 2 * RandomStream(RandomKey(seed).Derive(text)).NextUniform() - 1.4;
    });
    Request request(model, &scorer, seed, 60);
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    size_t draft = 0;
    for (const TraceCommit& commit : answer->trace->commits) {
      if (commit.how == "prefix") continue;
      EXPECT_GE(*commit.value, answer->trace->drafts[draft++].value);
    }
    EXPECT_EQ(draft, answer->trace->drafts.size());
  }
}

TEST(RainOptions, PresetsByName) {
  EXPECT_EQ(RainPreset("reference")->visits, 50);
  EXPECT_TRUE(RainPreset("default")->draft_first);
  EXPECT_THAT(RainPreset("referense").error().hint, ::testing::HasSubstr("reference"));
}

TEST(RainOptions, MistakesNameTheField) {
  EXPECT_TRUE(ValidateRainOptions(ReferenceRain()));
  EXPECT_TRUE(ValidateRainOptions(DefaultRain()));
  RainOptions options;
  options.set_lengths = {1, 0};
  EXPECT_THAT(ValidateRainOptions(options).error().message, ::testing::HasSubstr("set_lengths"));
  options = {};
  options.uniform_share = 2;
  EXPECT_THAT(ValidateRainOptions(options).error().message, ::testing::HasSubstr("uniform_share"));
  options = {};
  options.speculate = 0;
  EXPECT_THAT(ValidateRainOptions(options).error().message, ::testing::HasSubstr("speculate"));
}

TEST(RainOptions, DepthsAndLengths) {
  const RainOptions options;
  EXPECT_EQ(SetLength(options, 0), 1);
  EXPECT_EQ(SetLength(options, 3), 10);
  EXPECT_EQ(SetLength(options, 30), 10);
  EXPECT_EQ(DepthOfLength(options, 0), 0);
  EXPECT_EQ(DepthOfLength(options, 1), 1);
  EXPECT_EQ(DepthOfLength(options, 7), 3);
  EXPECT_EQ(DepthOfLength(options, 8), 4);
}

}  // namespace
}  // namespace plumbline
