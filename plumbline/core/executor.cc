#include "plumbline/core/executor.h"

#include <algorithm>

namespace plumbline {

/// Owns a submitted task while it runs and knows when it is done.
class Executor::Root {
 public:
  explicit Root(Task<void> task) : runner_(Drive(std::move(task), &done_)) {}

  void Begin() {
    started_ = true;
    runner_.Start(&state_);
  }
  bool started() const { return started_; }
  bool done() const { return done_; }

 private:
  static internal::Joiner Drive(Task<void> task, bool* done) {
    co_await task;
    *done = true;
  }

  bool started_ = false;
  bool done_ = false;
  // One more than the single runner, so that finishing never resumes an awaiter: there is none.
  internal::JoinState state_{2, {}};
  internal::Joiner runner_;
};

Executor::Executor(std::vector<Backend*> backends) : backends_(std::move(backends)) {
  for (Backend* backend : backends_) backend->SetWaker([this] { Wake(); });
  thread_ = std::thread([this] { ThreadMain(); });
}

Executor::~Executor() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Executor::Start(Task<void> task) {
  {
    const std::scoped_lock lock(mutex_);
    submitted_.push_back(std::move(task));
  }
  wake_.notify_all();
}

void Executor::Wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Executor::StartSubmitted() {
  std::deque<Task<void>> fresh;
  {
    const std::scoped_lock lock(mutex_);
    fresh.swap(submitted_);
  }
  for (Task<void>& task : fresh) {
    running_.push_back(std::make_unique<Root>(std::move(task)));
    running_.back()->Begin();
  }
}

bool Executor::RunBackends() {
  bool did_something = false;
  for (Backend* backend : backends_) did_something |= backend->RunRound();
  return did_something;
}

void Executor::ThreadMain() {
  while (true) {
    StartSubmitted();
    const bool did_something = RunBackends();
    std::erase_if(running_, [](const std::unique_ptr<Root>& root) { return root->done(); });
    std::unique_lock lock(mutex_);
    if (!did_something) {
      wake_.wait(lock, [this] { return stopping_ || woken_ || !submitted_.empty(); });
    }
    woken_ = false;
    if (stopping_) break;
  }
  running_.clear();
}

}  // namespace plumbline
