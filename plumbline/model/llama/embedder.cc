#include "plumbline/model/llama/embedder.h"

#include <algorithm>
#include <cmath>

namespace plumbline::llama {
namespace {

constexpr int kBatchTokens = 512;
constexpr int kSequences = 32;

std::vector<float> Normalised(const float* values, int size) {
  double squares = 0;
  for (int i = 0; i < size; ++i) squares += static_cast<double>(values[i]) * values[i];
  const double scale = squares > 0 ? 1.0 / std::sqrt(squares) : 0.0;
  std::vector<float> unit(size);
  for (int i = 0; i < size; ++i) unit[i] = static_cast<float>(values[i] * scale);
  return unit;
}

}  // namespace

Result<std::unique_ptr<Embedder>> Embedder::Create(llama_model* model, int threads) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = kBatchTokens;
  params.n_batch = kBatchTokens;
  params.n_ubatch = kBatchTokens;  // A sequence is pooled within one pass.
  params.n_seq_max = kSequences;
  params.kv_unified = true;
  params.n_threads = threads;
  params.n_threads_batch = threads;
  params.embeddings = true;
  const bool encoder_only = llama_model_has_encoder(model) && !llama_model_has_decoder(model);
  params.pooling_type = LLAMA_POOLING_TYPE_MEAN;
  LlamaContextPtr context(llama_init_from_model(model, params));
  if (context == nullptr) {
    return Fail(ErrorCode::kUnsupported, "this model can't give embeddings",
                "name an embedding model with --embedding-model");
  }
  return std::unique_ptr<Embedder>(new Embedder(std::move(context), encoder_only, kBatchTokens));
}

Result<std::vector<std::vector<float>>> Embedder::Embed(
    std::span<const std::vector<TokenId>> sequences) {
  std::vector<std::vector<float>> embeddings;
  embeddings.reserve(sequences.size());
  size_t begin = 0;
  while (begin < sequences.size()) {
    size_t end = begin;
    int tokens = 0;
    while (end < sequences.size() && end - begin < kSequences) {
      const int length = std::min(static_cast<int>(sequences[end].size()), batch_tokens_);
      if (tokens + length > batch_tokens_ && end > begin) break;
      tokens += length;
      ++end;
    }
    PLUMBLINE_TRY(EmbedGroup(sequences.subspan(begin, end - begin), embeddings));
    begin = end;
  }
  return embeddings;
}

Status Embedder::EmbedGroup(std::span<const std::vector<TokenId>> group,
                            std::vector<std::vector<float>>& embeddings) {
  llama_batch batch = llama_batch_init(batch_tokens_, 0, 1);
  for (size_t sequence = 0; sequence < group.size(); ++sequence) {
    const int length = std::min(static_cast<int>(group[sequence].size()), batch_tokens_);
    for (int position = 0; position < length; ++position) {
      const int i = batch.n_tokens++;
      batch.token[i] = group[sequence][position];
      batch.pos[i] = position;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = static_cast<llama_seq_id>(sequence);
      batch.logits[i] = 1;
    }
  }
  if (llama_memory_t memory = llama_get_memory(context_.get())) llama_memory_clear(memory, false);
  const int32_t code =
      encoder_only_ ? llama_encode(context_.get(), batch) : llama_decode(context_.get(), batch);
  llama_batch_free(batch);
  if (code != 0) {
    return Fail(ErrorCode::kInternal, "embedding failed with code " + std::to_string(code));
  }
  const int size = llama_model_n_embd_out(llama_get_model(context_.get()));
  for (size_t sequence = 0; sequence < group.size(); ++sequence) {
    const float* values =
        llama_get_embeddings_seq(context_.get(), static_cast<llama_seq_id>(sequence));
    if (values == nullptr) return Fail(ErrorCode::kInternal, "the model gave no embedding");
    embeddings.push_back(Normalised(values, size));
  }
  return {};
}

}  // namespace plumbline::llama
