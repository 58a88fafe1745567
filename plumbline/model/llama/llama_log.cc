#include "plumbline/model/llama/llama_log.h"

#include <llama.h>

#include <mutex>
#include <utility>

#include "log.h"  // llama.cpp's common library: the chat templates log through it

namespace plumbline::llama {
namespace {

std::mutex log_mutex;
std::string last_error;

void Keep(ggml_log_level level, const char* text, void* /*user_data*/) {
  if (level != GGML_LOG_LEVEL_ERROR) return;
  const std::scoped_lock lock(log_mutex);
  last_error = text;
  while (!last_error.empty() && last_error.back() == '\n') last_error.pop_back();
}

}  // namespace

void SilenceLlamaLog() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(Keep, nullptr);
    common_log_set_verbosity_thold(-1);
  });
}

std::string RecentLlamaError(const std::string& prefix) {
  const std::scoped_lock lock(log_mutex);
  const std::string error = std::exchange(last_error, {});
  return error.empty() ? error : prefix + error;
}

}  // namespace plumbline::llama
