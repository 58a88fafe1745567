#include "plumbline/model/openai/remote_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "plumbline/core/executor.h"
#include "plumbline/model/openai/openai_model.h"
#include "plumbline/model/openai/toy_server.h"

namespace plumbline::openai {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr auto kPromptly = 3s;

OpenAiOptions OptionsFor(const ToyServer& server) {
  OpenAiOptions options;
  options.base_url = server.url();
  options.max_retries = 1;
  options.initial_backoff = 5ms;
  options.api_key_variable = "PLUMBLINE_TEST_KEY";
  options.fallback_api_key_variable = "PLUMBLINE_TEST_FALLBACK_KEY";
  return options;
}

/// A connected model with its executor.
struct Remote {
  explicit Remote(std::string owner = "vllm") : server(std::move(owner)) {
    auto connected = ConnectOpenAi(OptionsFor(server));
    EXPECT_TRUE(connected.has_value()) << connected.error().ToString();
    model = std::move(*connected);
    executor = std::make_unique<Executor>(std::vector<Backend*>{model.get()});
  }

  Branch Open(const std::string& text) { return *model->Open(PlainPrompt(text)); }

  Result<std::vector<TokenSet>> Continue(std::vector<Draw> draws, Until until, Call call = {}) {
    return executor->Run(
        model->Continue(Open("Is it so?"), std::move(draws), std::move(until), call));
  }

  Result<std::vector<std::vector<double>>> Choose(std::vector<std::string> options) {
    return executor->Run(model->Choose({Open("Is it so?")}, std::move(options), {}));
  }

  ToyServer server;
  std::unique_ptr<LanguageModel> model;
  std::unique_ptr<Executor> executor;
};

Draw DrawOf(uint64_t seed, const Sampling& sampling = {}) {
  return {sampling, RandomKey(seed), false};
}

Draw GreedyDraw() {
  Draw draw;
  draw.greedy = true;
  return draw;
}

Error ConnectError(const OpenAiOptions& options) {
  const auto model = ConnectOpenAi(options);
  EXPECT_FALSE(model.has_value());
  return model.has_value() ? Error() : model.error();
}

TEST(ConnectTest, FindsTheOnlyModel) {
  Remote remote;
  EXPECT_EQ(remote.model->info().name, "toy");
  EXPECT_EQ(remote.model->info().context_tokens, 100);
  EXPECT_THAT(remote.model->info().description, HasSubstr("vLLM at " + remote.server.url()));
  EXPECT_FALSE(remote.model->info().has_chat_template);
}

TEST(ConnectTest, NamesTheNearestModel) {
  ToyServer server;
  server.SetModels({{{"id", "llama-8b"}}, {{"id", "qwen-7b"}}});
  OpenAiOptions options = OptionsFor(server);
  options.model = "lama-8b";
  const Error error = ConnectError(options);
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.hint, HasSubstr("did you mean 'llama-8b'?"));
  options.model = "";
  const Error several = ConnectError(options);
  EXPECT_EQ(several.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(several.hint, HasSubstr("llama-8b, qwen-7b"));
}

TEST(ConnectTest, ServersThatWillNotDo) {
  const struct {
    std::string path;
    MockReply reply;
    ErrorCode code;
    const char* says;
  } cases[] = {
      {"/v1/models", JsonReply(R"({"data":[]})"), ErrorCode::kNotFound, "no model"},
      {"/v1/models", JsonReply("<html>"), ErrorCode::kRemote, "not JSON"},
      {"/v1/models", JsonReply(R"({"data":[{}]})"), ErrorCode::kRemote, "'id' is missing"},
      {"/v1/models", JsonReply("{}", 401), ErrorCode::kRemote, "PLUMBLINE_API_KEY"},
      {"/v1/completions", JsonReply("{}", 404), ErrorCode::kNotFound, "chat only"},
      {"/v1/completions",
       JsonReply(R"({"choices":[{"text":"","finish_reason":"length","logprobs":null}]})"),
       ErrorCode::kUnsupported, "no log-probabilities"},
  };
  for (const auto& c : cases) {
    ToyServer server;
    server.SetOverride(c.path, [&](const json&) { return c.reply; });
    const Error error = ConnectError(OptionsFor(server));
    EXPECT_EQ(error.code, c.code) << error.ToString();
    EXPECT_THAT(error.ToString(), HasSubstr(c.says));
    EXPECT_THAT(error.message, HasSubstr(server.url() + c.path));
  }
}

TEST(ConnectTest, OptionsOutOfRange) {
  ToyServer server;
  OpenAiOptions options = OptionsFor(server);
  options.max_concurrency = 0;
  EXPECT_EQ(ConnectError(options).code, ErrorCode::kInvalidArgument);
  options = OptionsFor(server);
  options.top_log_probs = 0;
  EXPECT_THAT(ConnectError(options).message, HasSubstr("top_log_probs"));
  EXPECT_EQ(server.http().requests(), 0);
}

TEST(ConnectTest, TheTokenComesFromTheEnvironment) {
  ToyServer server;
  ::setenv("PLUMBLINE_TEST_FALLBACK_KEY", "second", 1);
  ASSERT_TRUE(ConnectOpenAi(OptionsFor(server)).has_value());
  EXPECT_THAT(server.http().Seen().back().headers, HasSubstr("Authorization: Bearer second\r\n"));
  ::setenv("PLUMBLINE_TEST_KEY", "first", 1);
  ASSERT_TRUE(ConnectOpenAi(OptionsFor(server)).has_value());
  EXPECT_THAT(server.http().Seen().back().headers, HasSubstr("Authorization: Bearer first\r\n"));
  ::setenv("PLUMBLINE_TEST_KEY", "a\r\nX: y", 1);
  const Error error = ConnectError(OptionsFor(server));
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, Not(HasSubstr("X: y")));
  ::unsetenv("PLUMBLINE_TEST_KEY");
  ::unsetenv("PLUMBLINE_TEST_FALLBACK_KEY");
}

TEST(RemoteContinueTest, DrawsByOneRuleShareARequest) {
  Remote remote;
  Usage usage;
  const auto sets = remote.Continue({DrawOf(1), GreedyDraw(), DrawOf(2), GreedyDraw()},
                                    {2, false, {}}, {&usage, {}});
  ASSERT_TRUE(sets.has_value()) << sets.error().ToString();
  const std::vector<json> bodies = remote.server.Completions();
  ASSERT_EQ(bodies.size(), 2u);
  const json& sampled = bodies[bodies[0]["temperature"] == 0 ? 1 : 0];
  const json& greedy = bodies[bodies[0]["temperature"] == 0 ? 0 : 1];
  EXPECT_EQ(sampled["n"], 2);
  EXPECT_TRUE(sampled.contains("seed"));
  EXPECT_EQ(sampled["top_k"], -1);
  EXPECT_EQ(sampled["repetition_penalty"], 1.0);
  EXPECT_EQ(sampled["prompt"], "Is it so?");
  EXPECT_FALSE(greedy.contains("n"));
  EXPECT_EQ((*sets)[1].text, " yes yes");
  EXPECT_EQ((*sets)[3].text, " yes yes");
  EXPECT_NE((*sets)[0].text, (*sets)[2].text);
  EXPECT_EQ(usage.calls, 1);
  EXPECT_EQ(usage.tokens_reused, 8);
  size_t drawn = 2;  // the greedy ones, once
  for (const size_t i : {0, 2}) drawn += (*sets)[i].tokens.size() + ((*sets)[i].finished() ? 1 : 0);
  EXPECT_EQ(usage.tokens_generated, static_cast<int64_t>(drawn));
}

TEST(RemoteContinueTest, ProbabilitiesAreReportedUnderBothMeasures) {
  Remote remote;
  Sampling sampling;
  sampling.top_k = 2;
  Draw draw = GreedyDraw();
  draw.sampling = sampling;
  const auto sets = remote.Continue({draw}, {1, false, {}});
  ASSERT_TRUE(sets.has_value()) << sets.error().ToString();
  EXPECT_NEAR((*sets)[0].model_log_probs[0], std::log(0.5), 1e-6);
  EXPECT_NEAR((*sets)[0].log_probs[0], std::log(0.5 / 0.75), 1e-6);
}

TEST(RemoteContinueTest, EndOfTextIsNoToken) {
  Remote remote;
  const auto sets = remote.Continue({DrawOf(1)}, {20, false, {}});
  ASSERT_TRUE(sets.has_value()) << sets.error().ToString();
  const TokenSet& set = (*sets)[0];
  EXPECT_EQ(set.finish, FinishReason::kEndOfText);
  EXPECT_THAT(set.text, testing::EndsWith(" maybe"));
  EXPECT_EQ(set.tokens.size(), set.log_probs.size());
  EXPECT_NEAR(set.end_model_log_prob, std::log(0.0625), 1e-9);
  const auto top = remote.executor->Run(remote.model->TopTokens(remote.Open("x"), 5, {}));
  ASSERT_TRUE(top.has_value());
  EXPECT_TRUE((*top)[3].end_of_text || (*top)[4].end_of_text);
  EXPECT_EQ((*top)[0].text, " yes");
}

TEST(RemoteContinueTest, CutsAtClausesAndAtStopStringsThatTheServerIgnores) {
  Remote remote;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto clause = remote.Continue({DrawOf(seed)}, {3, true, {}});
    ASSERT_TRUE(clause.has_value()) << clause.error().ToString();
    const TokenSet& set = (*clause)[0];
    const bool ended = set.text.ends_with('.');
    EXPECT_EQ(ended, set.finish == FinishReason::kClause) << set.text;
    EXPECT_EQ(set.text.find('.'), ended ? set.text.size() - 1 : std::string::npos);
  }
  const auto stopped = remote.Continue({GreedyDraw()}, {5, false, {"s y"}});
  ASSERT_TRUE(stopped.has_value());
  EXPECT_EQ((*stopped)[0].text, " ye");
  EXPECT_EQ((*stopped)[0].finish, FinishReason::kStopString);
}

TEST(RemoteContinueTest, LooksForClausesInShortRequests) {
  Remote remote;
  Usage usage;
  // Greedy text is " yes yes ..." without an end: 8, 16 and 6 tokens.
  const auto sets = remote.Continue({GreedyDraw(), GreedyDraw()}, {30, true, {}}, {&usage, {}});
  ASSERT_TRUE(sets.has_value()) << sets.error().ToString();
  const std::vector<json> bodies = remote.server.Completions();
  ASSERT_EQ(bodies.size(), 3u);
  EXPECT_EQ(bodies[0]["max_tokens"], 8);
  EXPECT_EQ(bodies[1]["max_tokens"], 16);
  EXPECT_EQ(bodies[2]["max_tokens"], 6);
  EXPECT_EQ(bodies[1]["prompt"], "Is it so? yes yes yes yes yes yes yes yes");
  for (const TokenSet& set : *sets) {
    EXPECT_EQ(set.tokens.size(), 30u);
    EXPECT_EQ(set.log_probs.size(), 30u);
    EXPECT_EQ(set.model_log_probs.size(), 30u);
    EXPECT_EQ(set.text.size(), 30 * std::string(" yes").size());
    EXPECT_EQ(set.finish, FinishReason::kLength);
  }
  // Sampled text has its "." within the first five tokens.
  const auto sampled = remote.Continue({DrawOf(0), DrawOf(1), DrawOf(2)}, {100, true, {}});
  ASSERT_TRUE(sampled.has_value());
  for (const TokenSet& set : *sampled) EXPECT_NE(set.finish, FinishReason::kLength);
  EXPECT_EQ(remote.server.Completions().size(), 4u);
}

/// Goes on counting: " 0", " 1", ... after "Is it so?".
MockReply CountOn(const json& body) {
  const std::string prompt = body["prompt"];
  const auto spaces = static_cast<size_t>(std::count(prompt.begin(), prompt.end(), ' '));
  json tokens = json::array();
  json values = json::array();
  std::string text;
  for (size_t i = 0; i < body["max_tokens"].get<size_t>(); ++i) {
    tokens.push_back(" " + std::to_string(spaces - 2 + i));
    values.push_back(-1.0);
    text += tokens.back().get<std::string>();
  }
  const json log_probs = {{"tokens", tokens}, {"token_logprobs", values}};
  return JsonReply(
      json{{"choices",
            {{{"index", 0}, {"text", text}, {"finish_reason", "length"}, {"logprobs", log_probs}}}}}
          .dump());
}

TEST(RemoteContinueTest, FindsStopStringsAcrossTheSeamsOfShortRequests) {
  Remote remote;
  remote.server.SetOverride("/v1/completions", CountOn);
  const auto sets = remote.Continue({GreedyDraw()}, {30, true, {"7 8"}});
  ASSERT_TRUE(sets.has_value()) << sets.error().ToString();
  EXPECT_EQ((*sets)[0].finish, FinishReason::kStopString);
  EXPECT_EQ((*sets)[0].text, " 0 1 2 3 4 5 6 ");
}

TEST(RemoteContinueTest, TheNextRequestGoesOnFromTheText) {
  Remote remote;
  auto first = remote.Continue({GreedyDraw()}, {2, false, {}});
  ASSERT_TRUE(first.has_value());
  const auto next = remote.executor->Run(
      ContinueOne(*remote.model, (*first)[0].end, GreedyDraw(), {1, false, {}}, {}));
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(remote.server.Completions().back()["prompt"], "Is it so? yes yes");
}

TEST(RemoteContinueTest, WrongNumberOfCompletionsIsAnError) {
  Remote remote;
  remote.server.SetOverride("/v1/completions", [](json body) {
    body["n"] = 1;
    return JsonReply(ToyCompletion(body).dump());
  });
  const auto sets = remote.Continue({DrawOf(1), DrawOf(2)}, {2, false, {}});
  ASSERT_FALSE(sets.has_value());
  EXPECT_EQ(sets.error().code, ErrorCode::kRemote);
  EXPECT_THAT(sets.error().message, HasSubstr("2 completions were asked for by 'n'"));
}

TEST(RemoteContinueTest, ServersWithoutExtensionsRefuseByName) {
  Remote remote("openai");
  Sampling sampling;
  sampling.min_p = 0.1;
  const auto refused = remote.Continue({DrawOf(1, sampling)}, {1, false, {}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("min_p"));
  ASSERT_TRUE(remote.Continue({DrawOf(1)}, {1, false, {}}).has_value());
  EXPECT_FALSE(remote.server.Completions().back().contains("min_p"));
}

TEST(RemoteContinueTest, BadWishes) {
  Remote remote;
  EXPECT_EQ(remote.Continue({DrawOf(1)}, {0, false, {}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(remote.Continue({DrawOf(1)}, {1, false, {""}}).error().code,
            ErrorCode::kInvalidArgument);
  Sampling sampling;
  sampling.top_p = 0;
  EXPECT_EQ(remote.Continue({DrawOf(1, sampling)}, {1, false, {}}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(remote.model->Open({}).error().code, ErrorCode::kInvalidInput);
}

TEST(RemoteChooseTest, ListedOptions) {
  Remote remote;
  const auto table = remote.Choose({" yes", " no"});
  ASSERT_TRUE(table.has_value()) << table.error().ToString();
  EXPECT_NEAR((*table)[0][0], std::log(0.5), 1e-9);
  EXPECT_NEAR((*table)[0][1], std::log(0.25), 1e-9);
}

TEST(RemoteChooseTest, UnlistedOptionsAreScoredByEcho) {
  Remote remote;
  const auto table = remote.Choose({" yes", " never"});
  ASSERT_TRUE(table.has_value()) << table.error().ToString();
  EXPECT_NEAR((*table)[0][1], -2.5, 1e-9);
  EXPECT_EQ(remote.server.Completions().back()["prompt"], "Is it so? never");
}

TEST(RemoteChooseTest, WithoutEchoTheyAreBounded) {
  Remote remote;
  remote.server.SetOverride("/v1/completions", [](const json& body) {
    if (body.value("echo", false)) return JsonReply(R"({"error":{"message":"no echo"}})", 400);
    return JsonReply(ToyCompletion(body).dump());
  });
  const auto table = remote.Choose({" yes", " never", " ever"});
  ASSERT_TRUE(table.has_value()) << table.error().ToString();
  EXPECT_NEAR((*table)[0][1], std::log(0.0625) - 1, 1e-9);
  const size_t asked = remote.server.Completions().size();
  ASSERT_TRUE(remote.Choose({" yes", " never"}).has_value());
  EXPECT_EQ(remote.server.Completions().size(), asked + 1) << "asked again for what was refused";
  const auto log_prob =
      remote.executor->Run(remote.model->LogProb(remote.Open("Is it"), " so", {}));
  ASSERT_FALSE(log_prob.has_value());
  EXPECT_EQ(log_prob.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(log_prob.error().message, HasSubstr("echo"));
}

TEST(RemoteChooseTest, OptionsThatBeginAlikeAreRefused) {
  Remote remote;
  const auto table = remote.Choose({" yes", " yesterday"});
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().code, ErrorCode::kUnsupported);
}

TEST(RemoteLogProbTest, ByEcho) {
  Remote remote;
  const auto log_probs =
      remote.executor->Run(remote.model->LogProb(remote.Open("Is it"), " so or not", {}));
  ASSERT_TRUE(log_probs.has_value()) << log_probs.error().ToString();
  EXPECT_THAT(*log_probs, ElementsAre(-2.5, -2.5, -2.5));
}

TEST(RemoteEmbedTest, NormalisesAndKeepsTheOrder) {
  Remote remote;
  remote.server.SetOverride("/v1/embeddings", [](const json& body) {
    json data = json::array();
    for (size_t i = body["input"].size(); i-- > 0;) {
      data.push_back({{"index", i}, {"embedding", {3.0 * (i + 1), 4.0 * (i + 1)}}});
    }
    return JsonReply(json{{"data", data}, {"usage", {{"prompt_tokens", 5}}}}.dump());
  });
  Usage usage;
  const auto embeddings = remote.executor->Run(remote.model->Embed({"a", "b"}, {&usage, {}}));
  ASSERT_TRUE(embeddings.has_value()) << embeddings.error().ToString();
  EXPECT_THAT(*embeddings,
              ElementsAre(ElementsAre(testing::FloatEq(0.6F), testing::FloatEq(0.8F)),
                          ElementsAre(testing::FloatEq(0.6F), testing::FloatEq(0.8F))));
  EXPECT_EQ(usage.tokens_embedded, 5);
}

TEST(RemoteEmbedTest, NonsenseIsAnError) {
  for (const char* body :
       {R"({"data":[]})", R"({"data":[{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[null]}]})", R"({"data":[{"index":0,"embedding":[0]}]})",
        R"({"data":[{"index":0,"embedding":"AAAA"}]})", R"({"data":[{"embedding":[1]}]})"}) {
    Remote remote;
    remote.server.SetOverride("/v1/embeddings", [&](const json&) { return JsonReply(body); });
    const auto embeddings = remote.executor->Run(remote.model->Embed({"a"}, {}));
    ASSERT_FALSE(embeddings.has_value()) << body;
    EXPECT_EQ(embeddings.error().code, ErrorCode::kRemote);
    EXPECT_THAT(embeddings.error().message, HasSubstr("/v1/embeddings"));
  }
}

TEST(RemoteEmbedTest, AbsentEmbeddingsAreUnsupported) {
  Remote remote;
  const auto embeddings = remote.executor->Run(remote.model->Embed({"a"}, {}));
  ASSERT_FALSE(embeddings.has_value());
  EXPECT_EQ(embeddings.error().code, ErrorCode::kUnsupported);
}

TEST(RemoteExecutorTest, ManyCoroutinesShareThePoolAndResumeInOrder) {
  Remote remote;
  std::vector<Task<Result<TokenSet>>> tasks;
  for (uint64_t i = 0; i < 40; ++i) {
    tasks.push_back(ContinueOne(*remote.model, remote.Open("Q" + std::to_string(i)), DrawOf(i),
                                {2, false, {}}, {}));
  }
  const auto sets = remote.executor->Run(WhenAll(std::move(tasks)));
  ASSERT_EQ(sets.size(), 40u);
  for (const auto& set : sets) EXPECT_TRUE(set.has_value());
  EXPECT_LE(remote.server.http().most_at_once(), 8);
}

TEST(RemoteExecutorTest, OneFailureCancelsTheRestOfABatch) {
  Remote remote;
  remote.server.SetOverride("/v1/completions", [](const json& body) {
    if (body["prompt"] == "bad") return JsonReply(R"({"error":"no"})", 400);
    return MockReply{"", {}, MockReply::Then::kHang};
  });
  const auto start = Clock::now();
  const auto table = remote.executor->Run(
      remote.model->Choose({remote.Open("good"), remote.Open("bad")}, {" yes", " no"}, {}));
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().code, ErrorCode::kRemote);
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RemoteExecutorTest, CancellingACallIsPrompt) {
  Remote remote;
  remote.server.SetOverride("/v1/completions",
                            [](const json&) { return MockReply{"", {}, MockReply::Then::kHang}; });
  std::stop_source stop;
  auto answer = remote.executor->Submit(ContinueOne(*remote.model, remote.Open("x"), GreedyDraw(),
                                                    {1, false, {}}, {nullptr, stop.get_token()}));
  std::this_thread::sleep_for(50ms);
  const auto start = Clock::now();
  stop.request_stop();
  const auto result = answer.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RemoteExecutorTest, AnExecutorThatEndsAbandonsItsRequests) {
  Remote remote;
  remote.server.SetOverride("/v1/completions",
                            [](const json&) { return MockReply{"", {}, MockReply::Then::kHang}; });
  const int before = remote.server.http().requests();
  auto answer = remote.executor->Submit(
      ContinueOne(*remote.model, remote.Open("x"), GreedyDraw(), {1, false, {}}, {}));
  while (remote.server.http().requests() == before) std::this_thread::sleep_for(1ms);
  const auto start = Clock::now();
  remote.executor.reset();
  remote.model.reset();
  EXPECT_LT(Clock::now() - start, kPromptly);
  EXPECT_THROW(answer.get(), std::future_error);
}

TEST(RemoteChatTest, WithoutATemplateDialoguesArePlainText) {
  Remote remote;
  const auto prompt = remote.model->FormatChat({{Role::kUser, "Hi"}}, {});
  ASSERT_TRUE(prompt.has_value());
  EXPECT_EQ(PromptText(*prompt), "Human: Hi\n\nAssistant:");
  EXPECT_FALSE(remote.model->FormatChat({}, {}).has_value());
}

TEST(RemoteLengthTest, CountsByTheServerOrGuesses) {
  Remote remote;
  const Branch branch = remote.Open("twelve bytes");
  EXPECT_EQ(remote.model->Length(branch), 3) << "a guess, since /tokenize answers 404";
  remote.server.SetOverride("/tokenize", [](const json& body) {
    EXPECT_TRUE(body.contains("prompt"));
    return JsonReply(R"({"count": 7, "tokens": [1,2,3,4,5,6,7]})");
  });
  EXPECT_EQ(remote.model->Length(branch), 7);
  EXPECT_EQ(remote.model->CountTokens("anything").value(), 7);
}

}  // namespace
}  // namespace plumbline::openai
