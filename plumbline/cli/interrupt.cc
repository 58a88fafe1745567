#include "plumbline/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>

#include <thread>

namespace plumbline {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

// A thread that waits for signals may do anything, where a handler may do nearly nothing.
void WaitForSignals(std::stop_source source) {
  const sigset_t signals = StopSignals();
  int number = 0;
  sigwait(&signals, &number);
  source.request_stop();
  sigwait(&signals, &number);
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  raise(number);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Detached: it waits until the process ends. It owns its share of the stop state.
  std::thread(WaitForSignals, source_).detach();
}

InterruptGuard::~InterruptGuard() = default;

}  // namespace plumbline
