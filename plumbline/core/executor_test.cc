#include "plumbline/core/executor.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

/// Answers every awaited question in the next round, all at once.
class DoublingBackend : public Backend {
 public:
  struct Question {
    DoublingBackend* backend;
    int value;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> asker) { backend->waiting_.push_back(asker); }
    int await_resume() const { return 2 * value; }
  };

  Question Ask(int value) { return {this, value}; }
  bool RunRound() override {
    std::vector<std::coroutine_handle<>> answered;
    answered.swap(waiting_);
    if (answered.empty()) return false;
    widths.push_back(answered.size());
    for (const std::coroutine_handle<> asker : answered) asker.resume();
    return true;
  }

  std::vector<size_t> widths;

 private:
  std::vector<std::coroutine_handle<>> waiting_;
};

Task<int> Twice(DoublingBackend& backend, int value) {
  const int doubled = co_await backend.Ask(value);
  const int again = co_await backend.Ask(doubled);
  co_return again;
}

Task<int> SumOfAll(DoublingBackend& backend, int count) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(Twice(backend, i));
  const std::vector<int> results = co_await WhenAll(std::move(tasks));
  int sum = 0;
  for (const int result : results) sum += result;
  co_return sum;
}

TEST(Executor, MergesWhatIsAwaitedTogether) {
  DoublingBackend backend;
  {
    Executor executor({&backend});
    EXPECT_EQ(executor.Run(SumOfAll(backend, 10)), 4 * 45);
  }
  EXPECT_EQ(backend.widths, (std::vector<size_t>{10, 10}));
}

TEST(Executor, WhenAllOfNothingIsNothing) {
  DoublingBackend backend;
  Executor executor({&backend});
  EXPECT_EQ(executor.Run(SumOfAll(backend, 0)), 0);
}

Task<int> Immediate(int value) { co_return value; }

Task<int> ManyImmediate(int count) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(Immediate(1));
  const std::vector<int> results = co_await WhenAll(std::move(tasks));
  co_return static_cast<int>(results.size());
}

TEST(Executor, TasksThatFinishAtOnceDoNotResumeTheirAwaiterTwice) {
  Executor executor({});
  EXPECT_EQ(executor.Run(ManyImmediate(1000)), 1000);
}

TEST(Executor, ManyThreadsMaySubmit) {
  DoublingBackend backend;
  Executor executor({&backend});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_EQ(executor.Run(Twice(backend, i)), 4 * i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Executor, DestructionAbandonsWhatIsUnfinished) {
  class NeverAnswers : public Backend {
   public:
    bool RunRound() override { return false; }
  } backend;
  struct Never {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) {}
    void await_resume() const {}
  };
  const auto wait_forever = []() -> Task<int> {
    co_await Never{};
    co_return 1;
  };
  std::future<int> future;
  {
    Executor executor({&backend});
    future = executor.Submit(wait_forever());
  }
  EXPECT_THROW(future.get(), std::future_error);
}

}  // namespace
}  // namespace plumbline
