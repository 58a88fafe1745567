// Lets coroutines await requests: the pool's threads do the waiting, the executor's thread resumes.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plumbline/core/task.h"
#include "plumbline/model/openai/request_pool.h"

namespace plumbline::openai {

/// Executor thread only, but for what the pool calls back. A coroutine that is destroyed while it
/// waits cancels its requests; nothing refers to it afterwards, and the waker isn't called for it.
class RemoteCalls {
 public:
  /// The pool outlives this, and every coroutine that waits.
  explicit RemoteCalls(RequestPool& pool) : pool_(pool), inbox_(std::make_shared<Inbox>()) {}

  /// The bodies of the responses, in the order of the requests. The first error that arrives
  /// cancels the other requests and is the answer.
  Task<Result<std::vector<std::string>>> FetchAll(std::vector<RemoteRequest> requests);

  /// Resumes every coroutine whose answers have arrived, in the order in which they asked.
  /// Returns whether there was one.
  bool Deliver();

  void SetWaker(std::function<void()> wake);

 private:
  struct Batch;
  class Awaiter;

  /// Where the pool's threads leave what arrived. Shared with them, since a late answer may come
  /// when the coroutine, or all of this, is gone.
  struct Inbox {
    std::mutex mutex;
    std::function<void()> wake;                 // guarded by mutex, and called under it
    std::vector<std::shared_ptr<Batch>> ready;  // guarded by mutex
  };

  RequestPool& pool_;
  std::shared_ptr<Inbox> inbox_;
  uint64_t next_sequence_ = 0;
};

}  // namespace plumbline::openai
