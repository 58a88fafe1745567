// The embedded model: any GGUF that llama.cpp loads, behind LanguageModel. Its keys and values are
// a prefix tree shared by all requests; forking, rewinding and dropping branches are operations on
// the cache's metadata.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plumbline/model/language_model.h"

namespace plumbline {

struct LlamaAdapter {
  std::string path;  ///< A LoRA adapter as GGUF.
  double scale = 1.0;
};

struct LlamaOptions {
  std::string path;  ///< The GGUF file; the first of a split model.
  std::vector<LlamaAdapter> adapters;
  int cells = 8192;        ///< Tokens that the key/value cache holds, shared by all requests.
  int threads = 0;         ///< 0: one for each processor.
  int gpu_layers = -1;     ///< -1: all, if the build has a GPU backend.
  int batch_tokens = 512;  ///< Tokens in one pass at most.
  /// Same seed, same bits at any batch width, thread count and load: kernels that depend on the
  /// shape of a batch are avoided (no weight repacking, no matrix units, small passes). Slower.
  bool deterministic = false;
};

/// Counters since the model was loaded.
struct LlamaCounters {
  int64_t rounds = 0;     ///< Batches decoded.
  int64_t tokens = 0;     ///< Tokens in them.
  int64_t evictions = 0;  ///< Branches that lost residency while somebody held them.
  int cells_used = 0;
};

/// A LanguageModel with what only the embedded one can tell.
class LlamaModel : public LanguageModel {
 public:
  /// Executor thread, or when no executor runs.
  virtual LlamaCounters counters() const = 0;
};

/// Loads a model. Reads the file's header first: kModelFile if it is missing, truncated or no
/// GGUF; kUnsupported, naming the architecture, if llama.cpp doesn't know it, if it doesn't
/// generate text, or if its memory can't be rewound (recurrent and hybrid models).
Result<std::unique_ptr<LlamaModel>> LoadLlamaModel(const LlamaOptions& options);

}  // namespace plumbline
