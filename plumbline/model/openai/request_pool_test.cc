#include "plumbline/model/openai/request_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "plumbline/model/openai/mock_server.h"

namespace plumbline::openai {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;
using Then = MockReply::Then;

/// Beyond scheduling noise on a busy machine, and far below every timeout that it is compared to.
constexpr auto kPromptly = 3s;

PoolOptions QuickOptions() {
  PoolOptions options;
  options.max_concurrency = 2;
  options.http.connect_timeout = 2000ms;
  options.retry.max_retries = 3;
  options.retry.initial_backoff = 5ms;
  options.retry.max_backoff = 20ms;
  options.retry.attempt_timeout = 60'000ms;
  options.retry.deadline = 120'000ms;
  return options;
}

RemoteRequest Request(std::stop_token stop = {}) {
  return {"completion", {"POST", "/v1/completions", R"({"prompt":"x"})"}, std::move(stop)};
}

Endpoint EndpointOf(const std::string& url) { return *ParseBaseUrl(url); }

/// A pool on a server that always does the same.
struct Bench {
  explicit Bench(MockServer::Handler handler, const PoolOptions& options = QuickOptions())
      : server(std::move(handler)), pool(EndpointOf(server.url()), options) {}
  Result<std::string> Fetch() { return pool.Fetch(Request()); }
  MockServer server;
  RequestPool pool;
};

MockReply Closing(std::string bytes) { return {std::move(bytes), {}, Then::kClose}; }

TEST(RequestPoolTest, GivesTheBody) {
  Bench bench([](const MockRequest&) { return JsonReply(R"({"a":1})"); });
  EXPECT_EQ(bench.Fetch().value(), R"({"a":1})");
  EXPECT_EQ(bench.Fetch().value(), R"({"a":1})");
  const MockRequest seen = bench.server.Seen()[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/v1/completions");
  EXPECT_EQ(seen.body, R"({"prompt":"x"})");
  EXPECT_THAT(seen.headers, Not(HasSubstr("Authorization")));
}

TEST(RequestPoolTest, SendsTheBearerToken) {
  PoolOptions options = QuickOptions();
  options.http.bearer_token = "secret-1";
  Bench bench([](const MockRequest&) { return JsonReply("{}"); }, options);
  ASSERT_TRUE(bench.Fetch().has_value());
  EXPECT_THAT(bench.server.Seen()[0].headers, HasSubstr("Authorization: Bearer secret-1\r\n"));
}

TEST(RequestPoolTest, ALargeBodyGoesOutWithoutAskingFirst) {
  Bench bench([](const MockRequest&) { return JsonReply("{}"); });
  RemoteRequest request = Request();
  request.http.body = std::string(3'000'000, 'x');
  ASSERT_TRUE(bench.pool.Fetch(request).has_value());
  EXPECT_EQ(bench.server.Seen()[0].body.size(), 3'000'000u);
  EXPECT_THAT(bench.server.Seen()[0].headers, Not(HasSubstr("Expect")));
}

TEST(RequestPoolTest, RetriesWhatMayPass) {
  for (const MockReply& fault :
       {JsonReply("{}", 429), JsonReply("{}", 500), JsonReply("{}", 502), JsonReply("{}", 503),
        MockReply{"", {}, Then::kReset}, MockReply{"", {}, Then::kClose},
        Closing("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"cut"),
        Closing("SSH-2.0-OpenSSH_9.2\r\n")}) {
    std::atomic<int> calls{0};
    Bench bench([&](const MockRequest&) { return ++calls <= 2 ? fault : JsonReply("{}"); });
    const auto answer = bench.Fetch();
    EXPECT_TRUE(answer.has_value()) << fault.bytes << answer.error().ToString();
    EXPECT_EQ(calls, 3) << fault.bytes;
    EXPECT_EQ(bench.pool.retries(), 2);
  }
}

TEST(RequestPoolTest, GivesUpAfterItsRetriesAndSaysWhat) {
  Bench bench([](const MockRequest&) {
    return JsonReply(R"({"error":{"message":"out of\nmemory","type":"x"}})", 500);
  });
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kRemote);
  EXPECT_THAT(answer.error().message, HasSubstr("completion request to " + bench.server.url() +
                                                "/v1/completions: the server answered 500"));
  EXPECT_THAT(answer.error().message, HasSubstr("out of memory"));
  EXPECT_THAT(answer.error().message, HasSubstr("4 tries"));
  EXPECT_FALSE(answer.error().hint.empty());
  EXPECT_EQ(bench.server.requests(), 4);
}

TEST(RequestPoolTest, DoesNotRetryWhatIsWrongForGood) {
  const struct {
    int status;
    std::string body;
    ErrorCode code;
  } cases[] = {
      {400, R"({"error":{"message":"bad field"}})", ErrorCode::kRemote},
      {401, R"({"error":"no key"})", ErrorCode::kRemote},
      {404, R"({"detail":"Not Found"})", ErrorCode::kNotFound},
      {501, R"({"error":{"message":"no"}})", ErrorCode::kUnsupported},
      {307, "", ErrorCode::kRemote},
      {400, R"({"error":{"message":"too much","type":"exceed_context_size_error"}})",
       ErrorCode::kTooLong},
      {400, R"({"message":"This model's maximum context length is 10 tokens"})",
       ErrorCode::kTooLong},
  };
  for (const auto& c : cases) {
    Bench bench([&](const MockRequest&) {
      return JsonReply(c.body, c.status, "Location: http://127.0.0.1:1/\r\n");
    });
    const auto answer = bench.Fetch();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, c.code) << answer.error().ToString();
    EXPECT_EQ(bench.server.requests(), 1) << c.status;
  }
}

TEST(RequestPoolTest, RefusedTokenSaysWhereToPutOne) {
  Bench bench([](const MockRequest&) { return JsonReply("{}", 401); });
  EXPECT_THAT(bench.Fetch().error().hint, HasSubstr("PLUMBLINE_API_KEY"));
}

TEST(RequestPoolTest, NobodyListens) {
  auto server = std::make_unique<MockServer>([](const MockRequest&) { return JsonReply("{}"); });
  const Endpoint endpoint = EndpointOf(server->url());
  server.reset();
  RequestPool pool(endpoint, QuickOptions());
  const auto start = Clock::now();
  const auto answer = pool.Fetch(Request());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(pool.retries(), 3);
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RequestPoolTest, UnknownHost) {
  PoolOptions options = QuickOptions();
  options.retry.max_retries = 0;
  RequestPool pool(EndpointOf("http://no-such-host.invalid:80"), options);
  const auto answer = pool.Fetch(Request());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
}

TEST(RequestPoolTest, AServerThatGoesAwayBetweenRequests) {
  Bench bench([](const MockRequest&) { return JsonReply("{}"); });
  ASSERT_TRUE(bench.Fetch().has_value());
  bench.server.Stop();
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
}

TEST(RequestPoolTest, AHangEndsWithTheTimeoutOfEachTry) {
  PoolOptions options = QuickOptions();
  options.retry.attempt_timeout = 150ms;
  options.retry.max_retries = 2;
  Bench bench([](const MockRequest&) { return MockReply{"", {}, Then::kHang}; }, options);
  const auto start = Clock::now();
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
  EXPECT_THAT(answer.error().message, HasSubstr("no complete answer within 150 ms"));
  EXPECT_EQ(bench.server.requests(), 3);
  EXPECT_GE(Clock::now() - start, 450ms);
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RequestPoolTest, AnAnswerThatTricklesEndsWithTheTimeout) {
  PoolOptions options = QuickOptions();
  options.retry.attempt_timeout = 200ms;
  options.retry.max_retries = 0;
  Bench bench(
      [](const MockRequest&) {
        return MockReply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a", {}, Then::kHang};
      },
      options);
  const auto start = Clock::now();
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kNetwork);
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RequestPoolTest, ASlowAnswerInTimeIsAnAnswer) {
  Bench bench([](const MockRequest&) {
    MockReply reply = JsonReply("{}");
    reply.delay = 100ms;
    return reply;
  });
  EXPECT_TRUE(bench.Fetch().has_value());
  EXPECT_EQ(bench.pool.retries(), 0);
}

TEST(RequestPoolTest, TheDeadlineBoundsAllTries) {
  PoolOptions options = QuickOptions();
  options.retry.max_retries = 1000;
  options.retry.deadline = 300ms;
  Bench bench([](const MockRequest&) { return JsonReply("{}", 503); }, options);
  const auto start = Clock::now();
  ASSERT_FALSE(bench.Fetch().has_value());
  EXPECT_LT(Clock::now() - start, kPromptly);
  EXPECT_GT(bench.server.requests(), 2);
}

TEST(RequestPoolTest, WaitsAsLongAsTheServerAsks) {
  std::atomic<int> calls{0};
  Bench bench([&](const MockRequest&) {
    return ++calls == 1 ? JsonReply("{}", 429, "Retry-After: 1\r\n") : JsonReply("{}");
  });
  const auto start = Clock::now();
  EXPECT_TRUE(bench.Fetch().has_value());
  EXPECT_GE(Clock::now() - start, 1s);
}

TEST(RequestPoolTest, DoesNotWaitBeyondTheDeadline) {
  Bench bench([](const MockRequest&) { return JsonReply("{}", 429, "Retry-After: 86400\r\n"); });
  const auto start = Clock::now();
  ASSERT_FALSE(bench.Fetch().has_value());
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RequestPoolTest, RefusesAHugeAnswer) {
  PoolOptions options = QuickOptions();
  options.http.max_response_bytes = 1000;
  Bench bench([](const MockRequest&) { return JsonReply(std::string(100'000, ' ')); }, options);
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kRemote);
  EXPECT_THAT(answer.error().message, HasSubstr("larger than 1000 bytes"));
  EXPECT_EQ(bench.server.requests(), 1);
}

TEST(RequestPoolTest, RefusesAnEndlessAnswer) {
  PoolOptions options = QuickOptions();
  options.http.max_response_bytes = 1000;
  Bench bench(
      [](const MockRequest&) {
        return MockReply{"HTTP/1.1 200 OK\r\n\r\n" + std::string(50'000, 'a'), {}, Then::kHang};
      },
      options);
  const auto answer = bench.Fetch();
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("larger than 1000 bytes"));
}

TEST(RequestPoolTest, NeverMoreAtOnceThanAllowed) {
  PoolOptions options = QuickOptions();
  options.max_concurrency = 3;
  Bench bench(
      [](const MockRequest&) {
        MockReply reply = JsonReply("{}");
        reply.delay = 20ms;
        return reply;
      },
      options);
  std::atomic<int> left{20};
  std::promise<void> all;
  for (int i = 0; i < 20; ++i) {
    bench.pool.Submit(Request(), [&](Result<std::string> answer) {
      EXPECT_TRUE(answer.has_value());
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_EQ(bench.server.requests(), 20);
  EXPECT_LE(bench.server.most_at_once(), 3);
  EXPECT_GT(bench.server.most_at_once(), 1);
}

/// Cancels one request `after` its start and returns its answer; the wait must be short.
Result<std::string> CancelAfter(RequestPool& pool, std::chrono::milliseconds after) {
  std::stop_source stop;
  std::promise<Result<std::string>> promise;
  auto future = promise.get_future();
  pool.Submit(Request(stop.get_token()),
              [&](Result<std::string> answer) { promise.set_value(std::move(answer)); });
  std::this_thread::sleep_for(after);
  const auto start = Clock::now();
  stop.request_stop();
  Result<std::string> answer = future.get();
  EXPECT_LT(Clock::now() - start, kPromptly);
  return answer;
}

TEST(RequestPoolTest, CancelsARequestThatHangsAndFreesItsThread) {
  PoolOptions options = QuickOptions();
  options.max_concurrency = 1;
  std::atomic<int> calls{0};
  Bench bench(
      [&](const MockRequest&) {
        return ++calls == 1 ? MockReply{"", {}, Then::kHang} : JsonReply("{}");
      },
      options);
  const auto answer = CancelAfter(bench.pool, 100ms);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  const auto start = Clock::now();
  EXPECT_TRUE(bench.Fetch().has_value());
  EXPECT_LT(Clock::now() - start, kPromptly);
}

TEST(RequestPoolTest, CancelsDuringABackoff) {
  PoolOptions options = QuickOptions();
  options.retry.initial_backoff = 60'000ms;
  options.retry.max_backoff = 60'000ms;
  Bench bench([](const MockRequest&) { return JsonReply("{}", 503); }, options);
  const auto answer = CancelAfter(bench.pool, 100ms);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(bench.server.requests(), 1);
}

TEST(RequestPoolTest, CancelledBeforehandIsNeverSent) {
  Bench bench([](const MockRequest&) { return JsonReply("{}"); });
  std::stop_source stop;
  stop.request_stop();
  const auto answer = bench.pool.Fetch(Request(stop.get_token()));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(bench.Fetch().has_value());
  EXPECT_EQ(bench.server.requests(), 1);
}

TEST(RequestPoolTest, EndsPromptlyWhateverIsUnderWay) {
  MockServer server([](const MockRequest&) { return MockReply{"", {}, Then::kHang}; });
  std::atomic<int> cancelled{0};
  const auto count = [&](Result<std::string> answer) {
    if (!answer.has_value() && answer.error().code == ErrorCode::kCancelled) ++cancelled;
  };
  auto start = Clock::now();
  {
    RequestPool pool(EndpointOf(server.url()), QuickOptions());
    for (int i = 0; i < 5; ++i) pool.Submit(Request(), count);
    while (server.requests() < 2) std::this_thread::sleep_for(1ms);
    start = Clock::now();
  }
  EXPECT_LT(Clock::now() - start, kPromptly);
  EXPECT_EQ(cancelled, 5);
}

}  // namespace
}  // namespace plumbline::openai
