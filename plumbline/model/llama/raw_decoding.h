// llama.cpp driven directly, the way its own benchmarks do: the limit that the engine is measured
// against. No tree, no coroutines, no sampling unless asked for. For benchmarks only.
#pragma once

#include <memory>
#include <string>

#include "plumbline/core/result.h"

namespace plumbline {

struct RawDecodingOptions {
  std::string path;  ///< GGUF.
  int threads = 1;
  int streams = 1;  ///< Sequences decoded together after one shared prompt.
  int prompt_tokens = 64;
  int new_tokens = 64;  ///< Of each stream.
  bool sample = false;  ///< Draw each token by llama.cpp's sampler; else any token will do.
  bool flash_attention = false;
};

struct RawDecodingResult {
  double prompt_seconds = 0;
  double decode_seconds = 0;  ///< For streams * new_tokens tokens.
};

/// Loads the model once and repeats the measurement; one instance holds model and context.
class RawDecoding {
 public:
  static Result<RawDecoding> Create(const RawDecodingOptions& options);
  RawDecoding(RawDecoding&& other) noexcept;
  ~RawDecoding();

  Result<RawDecodingResult> Run();

 private:
  struct State;
  explicit RawDecoding(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plumbline
