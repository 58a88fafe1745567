#include "plumbline/model/openai/remote_calls.h"

#include <algorithm>

namespace plumbline::openai {

/// Requests that one coroutine awaits together. All members are guarded by the inbox's mutex but
/// for `sequence` and, once the batch is ready, `answer`.
struct RemoteCalls::Batch {
  uint64_t sequence = 0;
  size_t missing = 0;
  bool ready = false;
  bool abandoned = false;
  std::vector<std::string> bodies;
  Result<std::vector<std::string>> answer;
  std::vector<std::shared_ptr<RemoteExchange>> exchanges;
  std::coroutine_handle<> waiting;

  /// Takes one answer; returns whether the batch became ready by it.
  bool Take(size_t index, Result<std::string> body) {
    if (ready || abandoned) return false;
    if (body.has_value()) {
      bodies[index] = std::move(*body);
      ready = --missing == 0;
      if (ready) answer = std::move(bodies);
    } else {
      ready = true;
      answer = tl::unexpected<Error>(std::move(body.error()));
    }
    return ready;
  }
};

/// What FetchAll awaits. Lives in its frame, so that it dies with the coroutine.
class RemoteCalls::Awaiter {
 public:
  Awaiter(RemoteCalls& calls, std::vector<RemoteRequest> requests)
      : pool_(calls.pool_),
        inbox_(calls.inbox_),
        batch_(std::make_shared<Batch>()),
        requests_(std::move(requests)) {
    batch_->sequence = calls.next_sequence_++;
    batch_->missing = requests_.size();
    batch_->bodies.resize(requests_.size());
  }

  ~Awaiter() {
    std::vector<std::shared_ptr<RemoteExchange>> open;
    {
      const std::scoped_lock lock(inbox_->mutex);
      batch_->abandoned = true;
      open.swap(batch_->exchanges);
    }
    for (const auto& exchange : open) exchange->Cancel();
  }

  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;

  bool await_ready() const noexcept { return requests_.empty(); }

  void await_suspend(std::coroutine_handle<> waiting) {
    batch_->waiting = waiting;
    for (size_t i = 0; i < requests_.size(); ++i) Submit(i);
  }

  Result<std::vector<std::string>> await_resume() {
    if (requests_.empty()) return std::vector<std::string>();
    return std::move(batch_->answer);
  }

 private:
  void Submit(size_t index) {
    auto done = [inbox = inbox_, batch = batch_, index](Result<std::string> body) {
      std::vector<std::shared_ptr<RemoteExchange>> others;
      {
        const std::scoped_lock lock(inbox->mutex);
        if (!batch->Take(index, std::move(body))) return;
        others.swap(batch->exchanges);
        inbox->ready.push_back(batch);
        if (inbox->wake) inbox->wake();
      }
      for (const auto& exchange : others) exchange->Cancel();
    };
    auto exchange = pool_.Submit(std::move(requests_[index]), std::move(done));
    bool too_late = false;
    {
      const std::scoped_lock lock(inbox_->mutex);
      too_late = batch_->ready;
      if (!too_late) batch_->exchanges.push_back(exchange);
    }
    if (too_late) exchange->Cancel();
  }

  RequestPool& pool_;
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<Batch> batch_;
  std::vector<RemoteRequest> requests_;
};

Task<Result<std::vector<std::string>>> RemoteCalls::FetchAll(std::vector<RemoteRequest> requests) {
  Awaiter awaiter(*this, std::move(requests));
  auto bodies = co_await awaiter;
  co_return bodies;
}

bool RemoteCalls::Deliver() {
  std::vector<std::shared_ptr<Batch>> ready;
  {
    const std::scoped_lock lock(inbox_->mutex);
    ready.swap(inbox_->ready);
  }
  std::sort(ready.begin(), ready.end(),
            [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  for (const std::shared_ptr<Batch>& batch : ready) {
    // Resuming one coroutine may destroy another; its awaiter then says so.
    bool abandoned = false;
    {
      const std::scoped_lock lock(inbox_->mutex);
      abandoned = batch->abandoned;
    }
    if (!abandoned) batch->waiting.resume();
  }
  return !ready.empty();
}

void RemoteCalls::SetWaker(std::function<void()> wake) {
  const std::scoped_lock lock(inbox_->mutex);
  inbox_->wake = std::move(wake);
}

}  // namespace plumbline::openai
