#include "plumbline/model/openai/request_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <future>

#include "plumbline/core/check.h"

namespace plumbline::openai {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A server that goes away while we write to it raises SIGPIPE, which would end the process.
/// Blocked, the write fails with EPIPE instead, and only this thread is concerned.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

milliseconds Until(Clock::time_point when) {
  return std::chrono::duration_cast<milliseconds>(when - Clock::now());
}

std::string Tries(int count, Clock::time_point start) {
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  char text[64];
  std::snprintf(text, sizeof text, " (%d tries in %.1f s)", count, seconds);
  return text;
}

}  // namespace

void RemoteExchange::Cancel() {
  Settle(Fail(ErrorCode::kCancelled, request_.kind + " request: cancelled"));
}

void RemoteExchange::Settle(Result<std::string> answer) {
  if (settled_.exchange(true)) return;
  {
    const std::scoped_lock lock(mutex_);
    if (active_ != nullptr) active_->Interrupt();
  }
  changed_.notify_all();
  // What hears this may drop the last reference to us: nothing of ours is touched afterwards.
  const RemoteDone done = std::move(done_);
  done(std::move(answer));
}

void RemoteExchange::WatchStop() {
  if (request_.stop.stop_possible()) on_stop_.emplace(request_.stop, [this] { Cancel(); });
}

bool RemoteExchange::PauseUnlessSettled(milliseconds pause) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, pause, [this] { return settled_.load(); });
}

void RemoteExchange::SetActive(HttpConnection* connection) {
  const std::scoped_lock lock(mutex_);
  active_ = connection;
}

RequestPool::RequestPool(Endpoint endpoint, PoolOptions options)
    : endpoint_(std::move(endpoint)), options_(std::move(options)) {
  PLUMBLINE_CHECK(options_.max_concurrency >= 1);
  in_flight_.resize(static_cast<size_t>(options_.max_concurrency));
  for (int worker = 0; worker < options_.max_concurrency; ++worker) {
    threads_.emplace_back([this, worker] { WorkerMain(worker); });
  }
}

RequestPool::~RequestPool() {
  std::vector<std::shared_ptr<RemoteExchange>> open;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    open.assign(queue_.begin(), queue_.end());
    queue_.clear();
    for (const auto& exchange : in_flight_) {
      if (exchange) open.push_back(exchange);
    }
  }
  work_.notify_all();
  for (const auto& exchange : open) exchange->Cancel();
  for (std::thread& thread : threads_) thread.join();
}

std::string RequestPool::Where(const RemoteRequest& request) const {
  return request.kind + " request to " + endpoint_.Url(request.http.path);
}

std::shared_ptr<RemoteExchange> RequestPool::Submit(RemoteRequest request, RemoteDone done) {
  auto exchange = std::make_shared<RemoteExchange>(std::move(request), std::move(done));
  exchange->WatchStop();
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(exchange);
  }
  work_.notify_one();
  return exchange;
}

Result<std::string> RequestPool::Fetch(RemoteRequest request) {
  std::promise<Result<std::string>> promise;
  std::future<Result<std::string>> future = promise.get_future();
  const auto exchange = Submit(std::move(request), [&promise](Result<std::string> answer) {
    promise.set_value(std::move(answer));
  });
  return future.get();
}

std::shared_ptr<RemoteExchange> RequestPool::TakeNext(int worker) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<RemoteExchange>& slot = in_flight_[static_cast<size_t>(worker)];
  slot.reset();
  work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (stopping_) return nullptr;
  slot = std::move(queue_.front());
  queue_.pop_front();
  return slot;
}

void RequestPool::WorkerMain(int worker) {
  BlockSigpipe();
  HttpConnection connection(endpoint_, options_.http);
  std::minstd_rand random(std::random_device{}());
  while (const std::shared_ptr<RemoteExchange> exchange = TakeNext(worker)) {
    if (!exchange->settled_) Serve(*exchange, connection, random);
  }
}

void RequestPool::Serve(RemoteExchange& exchange, HttpConnection& connection,
                        std::minstd_rand& random) {
  const Clock::time_point start = Clock::now();
  const Clock::time_point deadline = start + options_.retry.deadline;
  for (int attempt = 0;; ++attempt) {
    const milliseconds timeout =
        std::max(milliseconds(1), std::min(options_.retry.attempt_timeout, Until(deadline)));
    auto outcome = Attempt(exchange, connection, timeout);
    if (exchange.settled_) return;
    if (outcome.has_value()) return exchange.Settle(std::move(*outcome));
    FailedAttempt& failed = outcome.error();
    const milliseconds pause = Backoff(options_.retry, attempt, failed.retry_after, random);
    const bool in_time = Clock::now() + pause + milliseconds(1) < deadline;
    if (!failed.retryable || attempt >= options_.retry.max_retries || !in_time) {
      if (attempt > 0) failed.error.message += Tries(attempt + 1, start);
      return exchange.Settle(tl::unexpected<Error>(std::move(failed.error)));
    }
    if (!exchange.PauseUnlessSettled(pause)) return;
    ++retries_;
  }
}

tl::expected<std::string, FailedAttempt> RequestPool::Attempt(RemoteExchange& exchange,
                                                              HttpConnection& connection,
                                                              milliseconds timeout) {
  exchange.SetActive(&connection);
  auto response = connection.Exchange(exchange.request_.http, timeout, exchange.settled_);
  exchange.SetActive(nullptr);
  const std::string where = Where(exchange.request_);
  if (!response.has_value()) return tl::unexpected(JudgeFailure(response.error(), where));
  if (response->status < 200 || response->status > 299) {
    return tl::unexpected(JudgeStatus(*response, where));
  }
  return std::move(response->body);
}

}  // namespace plumbline::openai
