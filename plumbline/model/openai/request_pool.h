// A bounded pool of threads that perform requests, with retries, deadlines and cancellation.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/openai/endpoint.h"
#include "plumbline/model/openai/http_connection.h"
#include "plumbline/model/openai/retry.h"

namespace plumbline::openai {

struct PoolOptions {
  int max_concurrency = 8;  ///< Requests under way at once, and threads; >= 1.
  HttpOptions http;
  RetryOptions retry;
};

struct RemoteRequest {
  std::string kind;  ///< For messages: "completion", "embedding".
  HttpRequest http;
  std::stop_token stop;  ///< Cancels: the answer is kCancelled at once.
};

/// Hears the body of a 2xx response, or the error. Called exactly once, on any thread: the pool's,
/// the canceller's, or the submitter's if it is already cancelled.
using RemoteDone = std::function<void(Result<std::string>)>;

/// A request that was handed in. Thread-safe.
class RemoteExchange {
 public:
  RemoteExchange(RemoteRequest request, RemoteDone done)
      : request_(std::move(request)), done_(std::move(done)) {}

  /// Answers with kCancelled, unless it has been answered, and frees its thread.
  void Cancel();

 private:
  friend class RequestPool;

  /// The first answer counts; later ones are dropped.
  void Settle(Result<std::string> answer);
  void WatchStop();
  /// Waits, but not beyond an answer. Returns whether there is still none.
  bool PauseUnlessSettled(std::chrono::milliseconds pause);
  void SetActive(HttpConnection* connection);

  const RemoteRequest request_;
  RemoteDone done_;
  std::atomic<bool> settled_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  HttpConnection* active_ = nullptr;  // guarded by mutex_
  // Last, so that it is destroyed first: its destructor waits for a callback that is running.
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

/// Thread-safe. A request in a back-off keeps its thread: a server that is overloaded gets fewer
/// requests, not more. Requests start in the order in which they were submitted.
class RequestPool {
 public:
  RequestPool(Endpoint endpoint, PoolOptions options);
  /// Cancels what is left and waits for the threads, at most for one connect timeout.
  ~RequestPool();
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  std::shared_ptr<RemoteExchange> Submit(RemoteRequest request, RemoteDone done);

  /// Submits and waits for the answer.
  Result<std::string> Fetch(RemoteRequest request);

  const Endpoint& endpoint() const { return endpoint_; }
  /// Tries after a first one, of all requests until now.
  int64_t retries() const { return retries_; }

  /// "completion request to http://host:8000/v1/completions".
  std::string Where(const RemoteRequest& request) const;

 private:
  void WorkerMain(int worker);
  std::shared_ptr<RemoteExchange> TakeNext(int worker);
  void Serve(RemoteExchange& exchange, HttpConnection& connection, std::minstd_rand& random);
  tl::expected<std::string, FailedAttempt> Attempt(RemoteExchange& exchange,
                                                   HttpConnection& connection,
                                                   std::chrono::milliseconds timeout);

  const Endpoint endpoint_;
  const PoolOptions options_;
  std::atomic<int64_t> retries_{0};
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<RemoteExchange>> queue_;       // guarded by mutex_
  std::vector<std::shared_ptr<RemoteExchange>> in_flight_;  // one a thread; guarded by mutex_
  bool stopping_ = false;                                   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace plumbline::openai
