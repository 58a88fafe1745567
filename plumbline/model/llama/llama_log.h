// llama.cpp's log, kept off the terminal. Its last error explains failures.
#pragma once

#include <string>

namespace plumbline::llama {

/// From now on nothing is printed. Any thread; idempotent.
void SilenceLlamaLog();

/// `prefix` and the last error line that llama.cpp logged since the last call, or nothing.
std::string RecentLlamaError(const std::string& prefix);

}  // namespace plumbline::llama
