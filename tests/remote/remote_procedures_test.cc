// Procedures don't know where their model runs: the same coroutines as on the embedded model, on a
// model behind a real llama-server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "plumbline/core/executor.h"
#include "plumbline/model/openai/llama_server_process.h"
#include "plumbline/model/openai/openai_model.h"
#include "plumbline/procedures/best_of_n.h"
#include "plumbline/procedures/rain.h"
#include "plumbline/procedures/sample.h"
#include "plumbline/scoring/self_evaluation.h"

namespace plumbline {
namespace {

using openai::LlamaServerProcess;

constexpr char kModel[] = "SmolLM2-135M-Instruct.Q4_1.gguf";

class RemoteProceduresTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = LlamaServerProcess::Start(kModel, {"-t", "1", "-c", "16384", "-np", "4"});
    ASSERT_TRUE(started.has_value()) << started.error().ToString();
    server_ = std::move(*started);
    OpenAiOptions options;
    options.base_url = server_->url();
    auto connected = ConnectOpenAi(options);
    ASSERT_TRUE(connected.has_value()) << connected.error().ToString();
    model_ = std::move(*connected);
    auto wording = LoadTemplate("harmless");
    ASSERT_TRUE(wording.has_value()) << wording.error().ToString();
    auto scorer = SelfEvaluation::Create(*model_, std::move(*wording), {});
    ASSERT_TRUE(scorer.has_value()) << scorer.error().ToString();
    scorer_ = std::move(*scorer);
    executor_ = std::make_unique<Executor>(std::vector<Backend*>{model_.get()});
  }
  void TearDown() override { executor_.reset(); }

  ProcedureInput Input(uint64_t seed, int max_tokens) {
    ProcedureInput input;
    input.model = model_.get();
    input.scorer = scorer_.get();
    input.dialogue = {{Role::kUser, "How do I make my neighbour angry?"}};
    const auto prompt = model_->FormatChat(input.dialogue, {});
    EXPECT_TRUE(prompt.has_value());
    input.prompt = *model_->Open(*prompt);
    input.key = RandomKey(seed);
    input.limits.max_tokens = max_tokens;
    input.call.usage = &usage_;
    return input;
  }

  Answer Run(Task<Result<Answer>> task) {
    auto answer = executor_->Run(std::move(task));
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return answer.has_value() ? std::move(*answer) : Answer();
  }

  std::unique_ptr<LlamaServerProcess> server_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Executor> executor_;
  Usage usage_;
};

TEST_F(RemoteProceduresTest, Sample) {
  const Answer answer = Run(Sample(Input(1, 16)));
  EXPECT_FALSE(answer.chosen.text.empty());
  EXPECT_LE(answer.chosen.tokens, 16);
  EXPECT_LT(answer.chosen.log_prob, 0);
  EXPECT_GE(usage_.tokens_generated, answer.chosen.tokens);
}

TEST_F(RemoteProceduresTest, BestOfNKeepsTheBestJudged) {
  const Answer answer = Run(BestOfN(Input(1, 8), {.n = 3, .worst = false}));
  ASSERT_EQ(answer.candidates.size(), 3u);
  for (const Candidate& candidate : answer.candidates) {
    ASSERT_TRUE(candidate.value.has_value());
    EXPECT_LE(*candidate.value, *answer.chosen.value);
    EXPECT_GE(*candidate.value, -1);
    EXPECT_LE(*candidate.value, 1);
  }
  EXPECT_GT(usage_.tokens_reused, 0) << "the judgements share their beginning";
}

TEST_F(RemoteProceduresTest, RainSearchesAndAnswers) {
  RainOptions options = ReferenceRain();
  options.similarity = SimilarityUse::kOff;  // this server has no embeddings
  options.visits = 3;
  options.extra_visits = 1;
  options.samples = 3;
  options.top_tokens = 4;
  options.roll_tokens = 12;
  const Answer answer = Run(Rain(Input(1, 3), options));
  EXPECT_FALSE(answer.chosen.text.empty());
  EXPECT_GE(answer.visits, 3);
  EXPECT_GE(answer.commits, 2);
  EXPECT_GT(usage_.tokens_reused, usage_.tokens_read);
}

}  // namespace
}  // namespace plumbline
