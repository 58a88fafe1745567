// What a GGUF file says of itself, read without loading it.
#pragma once

#include <cstdint>
#include <string>

#include "plumbline/core/result.h"

namespace plumbline {

struct GgufInfo {
  std::string path;
  std::string type;          ///< "model", "adapter", ...
  std::string architecture;  ///< "llama", "qwen2", ...
  std::string name;
  std::string quantization;  ///< The type of most weights: "q4_1", "f16", ...
  int64_t file_bytes = 0;
  int64_t parameters = 0;  ///< Weights in all tensors.
  int tensors = 0;
  int context_tokens = 0;  ///< 0 if not said.
  int layers = 0;
  int embedding_size = 0;
  int vocabulary_size = 0;
  bool has_chat_template = false;
  int sliding_window = 0;  ///< Tokens; 0 for none.
  bool recurrent = false;  ///< Carries a state that can't be rewound; Plumbline refuses it.
};

/// Fails with kModelFile, saying what is wrong, for a file that is missing, unreadable, empty, no
/// GGUF, or shorter than its own header says.
Result<GgufInfo> ReadGgufInfo(const std::string& path);

}  // namespace plumbline
