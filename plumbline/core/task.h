// Task<T>: a lazy coroutine with one awaiter. Procedures are written as Tasks; whoever runs the
// model resumes them (see executor.h).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "plumbline/core/check.h"

namespace plumbline {

template <typename T>
class Task;

namespace internal {

/// Hands control to whoever awaits a finished coroutine, without growing the stack.
struct ResumeContinuation {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    const std::coroutine_handle<> next = finished.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

struct TaskPromiseBase {
  std::coroutine_handle<> continuation;

  std::suspend_always initial_suspend() noexcept { return {}; }
  ResumeContinuation final_suspend() noexcept { return {}; }
  // Third-party exceptions stop at the adapter that calls the library, so one that gets here is
  // a bug.
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace internal

/// A coroutine that starts when it is first awaited and yields one T. Move-only; destroying an
/// unfinished Task destroys its frame and, through it, every Task it awaits. Not thread-safe: a
/// Task and its awaiter run on one thread.
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().continuation = awaiter;
    return handle_;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) {
      PLUMBLINE_CHECK(handle_.promise().value.has_value());
      return std::move(*handle_.promise().value);
    }
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

/// A coroutine that runs one member of a WhenAll and counts it off.
struct JoinState {
  size_t remaining = 0;
  std::coroutine_handle<> awaiter;
};

class Joiner {
 public:
  struct promise_type {
    JoinState* state = nullptr;
    Joiner get_return_object() {
      return Joiner(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct CountOff {
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<promise_type> finished) const noexcept {
          JoinState* state = finished.promise().state;
          return --state->remaining == 0 ? state->awaiter : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
      };
      return CountOff{};
    }
    void return_void() {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };

  Joiner(Joiner&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  ~Joiner() {
    if (handle_) handle_.destroy();
  }
  void Start(JoinState* state) {
    handle_.promise().state = state;
    handle_.resume();
  }

 private:
  explicit Joiner(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <typename T>
Joiner JoinInto(Task<T>& task, std::optional<T>& slot) {
  slot.emplace(co_await task);
}

struct JoinAll {
  std::vector<Joiner>* joiners;
  JoinState state;
  bool await_ready() const noexcept { return joiners->empty(); }
  bool await_suspend(std::coroutine_handle<> awaiter) {
    // The extra count keeps a task that finishes at once from resuming us while we still start
    // the others.
    state.remaining = joiners->size() + 1;
    state.awaiter = awaiter;
    for (Joiner& joiner : *joiners) joiner.Start(&state);
    return --state.remaining != 0;
  }
  void await_resume() const noexcept {}
};

}  // namespace internal

/// Runs all tasks together and returns their results in the order given. What they await is
/// merged into the same model batches.
template <typename T>
Task<std::vector<T>> WhenAll(std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> slots(tasks.size());
  std::vector<internal::Joiner> joiners;
  joiners.reserve(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    joiners.push_back(internal::JoinInto(tasks[i], slots[i]));
  }
  co_await internal::JoinAll{&joiners, {}};
  std::vector<T> results;
  results.reserve(slots.size());
  for (std::optional<T>& slot : slots) results.push_back(std::move(*slot));
  co_return results;
}

}  // namespace plumbline
