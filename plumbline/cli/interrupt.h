// Ctrl-C: the first one asks everything to stop and keep what is done, the second one kills.
#pragma once

#include <stop_token>

namespace plumbline {

/// While one exists, SIGINT, SIGTERM and SIGHUP request a stop instead of ending the process; a
/// second one ends it at once, by that signal. Create it before any other thread, so that all
/// threads inherit the signal mask; at most one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool requested() const { return source_.stop_requested(); }

 private:
  std::stop_source source_;
};

}  // namespace plumbline
