// For tests: a real llama-server as a child process on a free loopback port.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "plumbline/core/result.h"

namespace plumbline::openai {

/// Runs from Start to destruction. The child is killed with us, however we end.
class LlamaServerProcess {
 public:
  /// Runs the binary named by the environment's PLUMBLINE_LLAMA_SERVER on the model file
  /// `model_name` in PLUMBLINE_MODEL_DIR, and waits until it is ready.
  static Result<std::unique_ptr<LlamaServerProcess>> Start(const std::string& model_name,
                                                           std::vector<std::string> more_arguments);
  ~LlamaServerProcess();
  LlamaServerProcess(const LlamaServerProcess&) = delete;
  LlamaServerProcess& operator=(const LlamaServerProcess&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// The body that the server answers, whatever its status; "" if it doesn't.
  std::string Post(const std::string& path, const std::string& json) const;
  /// Kills it at once, as a crash would.
  void Kill();

 private:
  LlamaServerProcess(pid_t pid, int port) : pid_(pid), port_(port) {}
  Status WaitUntilReady();

  pid_t pid_;
  int port_;
};

}  // namespace plumbline::openai
