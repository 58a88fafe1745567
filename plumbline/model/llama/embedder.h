// Sentence embeddings: a second context on the same weights, mean-pooled over all tokens.
#pragma once

#include <llama.h>

#include <memory>
#include <span>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"

namespace plumbline::llama {

struct LlamaContextDeleter {
  void operator()(llama_context* context) const { llama_free(context); }
};
using LlamaContextPtr = std::unique_ptr<llama_context, LlamaContextDeleter>;

/// Embeds token sequences, many in a pass. Executor thread only.
class Embedder {
 public:
  /// kUnsupported if the model can't give embeddings.
  static Result<std::unique_ptr<Embedder>> Create(llama_model* model, int threads);

  /// One vector of Euclidean length 1 for each sequence; longer ones are cut to max_tokens().
  Result<std::vector<std::vector<float>>> Embed(std::span<const std::vector<TokenId>> sequences);

  int max_tokens() const { return batch_tokens_; }
  llama_context* context() { return context_.get(); }

 private:
  Embedder(LlamaContextPtr context, bool encoder_only, int batch_tokens)
      : context_(std::move(context)), encoder_only_(encoder_only), batch_tokens_(batch_tokens) {}
  Status EmbedGroup(std::span<const std::vector<TokenId>> group,
                    std::vector<std::vector<float>>& embeddings);

  LlamaContextPtr context_;
  bool encoder_only_;
  int batch_tokens_;
};

}  // namespace plumbline::llama
