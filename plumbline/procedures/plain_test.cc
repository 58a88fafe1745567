// Sample, best-of-N, worst-of-N and rejection on the scripted model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "plumbline/procedures/best_of_n.h"
#include "plumbline/procedures/reject.h"
#include "plumbline/procedures/sample.h"
#include "plumbline/procedures/test_support.h"

namespace plumbline {
namespace {

using testing_support::FunctionScorer;
using testing_support::HashedVotes;
using testing_support::Recorder;
using testing_support::Request;
using testing_support::SmallModel;

double ShareOfB(const std::string& text) {
  if (text.empty()) return 0;
  return static_cast<double>(std::ranges::count(text, 'b')) / static_cast<double>(text.size());
}

class ProcedureTest : public ::testing::Test {
 protected:
  template <typename T>
  T Run(Task<T> task) {
    Executor executor({&model});
    return executor.Run(std::move(task));
  }

  ScriptedModel model{SmallModel(3)};
  FunctionScorer scorer{ShareOfB};
};

TEST_F(ProcedureTest, SampleStreamsItsAnswer) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Request request(model, nullptr, seed, 30);
    Recorder recorder;
    request.input.observer = &recorder;
    const Result<Answer> answer = Run(Sample(request.input));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(recorder.Text(), answer->chosen.text);
    EXPECT_LE(answer->chosen.tokens, 30);
    EXPECT_LT(answer->chosen.log_prob, 0);
    const bool full = answer->chosen.tokens == 30;
    EXPECT_EQ(answer->cause, full ? StopCause::kMaxTokens : StopCause::kFinished);
    const auto log_probs =
        Run(model.LogProb(request.input.prompt, answer->chosen.text, request.input.call));
    double sum = 0;
    for (const double log_prob : *log_probs) sum += log_prob;
    if (full) {
      EXPECT_NEAR(answer->chosen.log_prob, sum, 1e-4);
    } else {
      EXPECT_LT(answer->chosen.log_prob, sum);  // The end of text counts as well.
    }
  }
}

TEST_F(ProcedureTest, SampleDependsOnItsSeedOnly) {
  Request one(model, nullptr, 5, 30);
  Request twin(model, nullptr, 5, 30);
  Request other(model, nullptr, 6, 30);
  Executor executor({&model});
  auto first = executor.Submit(Sample(one.input));
  auto second = executor.Submit(Sample(other.input));
  const std::string text = first.get()->chosen.text;
  EXPECT_NE(second.get()->chosen.text, text);
  EXPECT_EQ(executor.Run(Sample(twin.input))->chosen.text, text);
}

TEST_F(ProcedureTest, SampleStopsAtStopStringsAcrossRuns) {
  int stopped = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Request request(model, nullptr, seed, 40);
    request.input.limits.stop_strings = {" b c"};
    Recorder recorder;
    request.input.observer = &recorder;
    const Result<Answer> answer = Run(Sample(request.input));
    EXPECT_EQ(answer->chosen.text.find(" b c"), std::string::npos);
    EXPECT_EQ(recorder.Text(), answer->chosen.text);
    if (answer->chosen.finish == FinishReason::kStopString) {
      ++stopped;
      Request free(model, nullptr, seed, 40);
      const Result<Answer> whole = Run(Sample(free.input));
      EXPECT_TRUE(whole->chosen.text.starts_with(answer->chosen.text + " b c"));
    }
  }
  EXPECT_GT(stopped, 0);
}

TEST_F(ProcedureTest, BestAndWorstOfNKeepTheExtremes) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Request request(model, &scorer, seed, 20);
    const Result<Answer> best = Run(BestOfN(request.input, {.n = 6}));
    const Result<Answer> worst = Run(BestOfN(request.input, {.n = 6, .worst = true}));
    ASSERT_EQ(best->candidates.size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      const Candidate& candidate = best->candidates[i];
      EXPECT_EQ(candidate.text, worst->candidates[i].text);
      EXPECT_EQ(*candidate.value, ShareOfB(candidate.text));
      EXPECT_LE(*candidate.value, *best->chosen.value);
      EXPECT_GE(*candidate.value, *worst->chosen.value);
    }
  }
}

TEST_F(ProcedureTest, BestOfNGoesToTheFirstAmongEquals) {
  FunctionScorer same([](const std::string&) { return 0.5; });
  Request request(model, &same, 1, 10);
  const Result<Answer> answer = Run(BestOfN(request.input, {.n = 4}));
  EXPECT_EQ(answer->chosen.text, answer->candidates[0].text);
}

TEST_F(ProcedureTest, BestOfNAdvancesAllInOneBatchAStep) {
  Request request(model, &scorer, 2, 8);
  Run(BestOfN(request.input, {.n = 5}));
  EXPECT_EQ(model.rounds().front().rows, 5);
  EXPECT_LE(model.rounds().size(), 8u);
  EXPECT_EQ(scorer.batches.size(), 1u);
}

TEST_F(ProcedureTest, BestOfNCandidatesDoNotDependOnN) {
  Request request(model, &scorer, 4, 20);
  const Result<Answer> three = Run(BestOfN(request.input, {.n = 3}));
  const Result<Answer> seven = Run(BestOfN(request.input, {.n = 7}));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(three->candidates[i].text, seven->candidates[i].text);
  }
}

TEST_F(ProcedureTest, RejectKeepsTheFirstGoodOneWhateverTheWidth) {
  FunctionScorer votes(HashedVotes(9, 0.7, 0));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Request request(model, &votes, seed, 12);
    const Result<Answer> serial =
        Run(Reject(request.input, {.threshold = 0.5, .max_candidates = 9, .parallel = 1}));
    const Result<Answer> wide =
        Run(Reject(request.input, {.threshold = 0.5, .max_candidates = 9, .parallel = 5}));
    EXPECT_EQ(serial->chosen.text, wide->chosen.text);
    ASSERT_EQ(serial->candidates.size(), wide->candidates.size());
    const size_t count = serial->candidates.size();
    for (size_t i = 0; i + 1 < count; ++i) EXPECT_LT(*serial->candidates[i].value, 0.5);
    if (count < 9) {
      EXPECT_EQ(serial->candidates.back().text, serial->chosen.text);
    }
  }
}

TEST_F(ProcedureTest, RejectFallsBackToTheBest) {
  Request request(model, &scorer, 8, 20);
  const Result<Answer> answer = Run(Reject(request.input, {.threshold = 2, .max_candidates = 6}));
  ASSERT_EQ(answer->candidates.size(), 6u);
  for (const Candidate& candidate : answer->candidates) {
    EXPECT_LE(*candidate.value, *answer->chosen.value);
  }
}

TEST_F(ProcedureTest, BudgetsEndAnswersWithWhatIsThere) {
  for (const bool by_time : {false, true}) {
    Request request(model, &scorer, 1, 4000);
    request.input.sampling.top_k = 1;  // The most likely path of this model doesn't end.
    request.input.sampling.temperature = 0;
    if (by_time) {
      request.input.limits.time_budget = std::chrono::milliseconds(0);
    } else {
      request.input.limits.token_budget = 10;
    }
    const Result<Answer> answer = Run(BestOfN(request.input, {.n = 2}));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->cause, by_time ? StopCause::kTimeBudget : StopCause::kTokenBudget);
    EXPECT_GT(answer->chosen.tokens, 0);
    EXPECT_LE(answer->chosen.tokens, 16);
  }
}

TEST_F(ProcedureTest, MistakesAreErrorsThatNameTheField) {
  Request request(model, &scorer, 1, 10);
  EXPECT_EQ(Run(BestOfN(request.input, {.n = 0})).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Run(Reject(request.input, {.max_candidates = 0})).error().code,
            ErrorCode::kInvalidArgument);
  request.input.scorer = nullptr;
  EXPECT_EQ(Run(BestOfN(request.input, {})).error().code, ErrorCode::kInvalidArgument);
  request.input.limits.max_tokens = 0;
  EXPECT_THAT(Run(Sample(request.input)).error().message, ::testing::HasSubstr("max_tokens"));
  request.input.limits.max_tokens = 3;
  request.input.limits.stop_strings = {""};
  EXPECT_FALSE(Run(Sample(request.input)).has_value());
}

TEST_F(ProcedureTest, FailuresAndCancellationComeThrough) {
  ScriptedOptions options = SmallModel(3);
  options.failure = [](int call, std::string_view) -> std::optional<Error> {
    if (call == 2) return Error{ErrorCode::kNetwork, "gone", ""};
    return std::nullopt;
  };
  ScriptedModel failing(options);
  Executor executor({&failing});
  Request request(failing, &scorer, 1, 200);
  request.input.sampling.temperature = 0;
  EXPECT_EQ(executor.Run(Sample(request.input)).error().code, ErrorCode::kNetwork);
  request.stop.request_stop();
  EXPECT_EQ(executor.Run(BestOfN(request.input, {})).error().code, ErrorCode::kCancelled);
}

TEST_F(ProcedureTest, AnswersEndWhereTheContextDoes) {
  ScriptedOptions options = SmallModel(3);
  options.context_tokens = 20;
  ScriptedModel small(options);
  Executor executor({&small});
  Request request(small, &scorer, 1, 1000);
  request.input.sampling.temperature = 0;
  const Result<Answer> answer = executor.Run(Sample(request.input));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->chosen.tokens + small.Length(request.input.prompt), 20);
  EXPECT_EQ(answer->cause, StopCause::kMaxTokens);
}

}  // namespace
}  // namespace plumbline
