// The one thread that runs procedures and decodes. Coroutines of all requests run on it between
// rounds; in a round every backend answers, in one batch, all that they await.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "plumbline/core/task.h"

namespace plumbline {

/// Something that turns what coroutines await into answers: an embedded model, a remote one.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Takes all that is awaited now, computes, and resumes whoever is answered. Returns whether it
  /// did anything. Executor thread only. May block for as long as one batch takes.
  virtual bool RunRound() = 0;

  /// Told once, before the first round: call `wake` (from any thread) when an answer that was not
  /// computed inside RunRound has arrived.
  virtual void SetWaker(std::function<void()> /*wake*/) {}
};

/// Runs Tasks to completion on its own thread. Submit may be called from any thread; everything a
/// Task touches is touched on the executor's thread only. Destruction waits for the round in
/// progress and abandons unfinished tasks (their futures break): cancel them first.
class Executor {
 public:
  /// The backends must outlive the executor.
  explicit Executor(std::vector<Backend*> backends);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Starts a task; the future holds what it returns.
  template <typename T>
  std::future<T> Submit(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    std::future<T> future = promise->get_future();
    Start(Fulfil(std::move(task), std::move(promise)));
    return future;
  }

  /// Submit, then wait. Not from the executor's own thread.
  template <typename T>
  T Run(Task<T> task) {
    return Submit(std::move(task)).get();
  }

  /// Makes the thread look again at its backends. Any thread.
  void Wake();

 private:
  template <typename T>
  static Task<void> Fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
    if constexpr (std::is_void_v<T>) {
      co_await task;
      promise->set_value();
    } else {
      promise->set_value(co_await task);
    }
  }

  class Root;
  void Start(Task<void> task);
  void ThreadMain();
  bool RunBackends();
  void StartSubmitted();

  std::vector<Backend*> backends_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task<void>> submitted_;            // guarded by mutex_
  bool woken_ = false;                          // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::vector<std::unique_ptr<Root>> running_;  // executor thread only
  std::thread thread_;
};

}  // namespace plumbline
