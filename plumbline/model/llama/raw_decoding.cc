#include "plumbline/model/llama/raw_decoding.h"

#include <llama.h>

#include <chrono>
#include <vector>

#include "plumbline/model/llama/gguf_info.h"
#include "plumbline/model/llama/llama_log.h"

namespace plumbline {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A token that is a word, whichever: timing doesn't depend on it.
llama_token AnyToken(int i) { return 1000 + (i * 7919) % 20000; }

}  // namespace

struct RawDecoding::State {
  RawDecodingOptions options;
  llama_model* model = nullptr;
  llama_context* context = nullptr;
  llama_sampler* sampler = nullptr;
  llama_batch batch{};

  ~State() {
    if (batch.token != nullptr) llama_batch_free(batch);
    if (sampler != nullptr) llama_sampler_free(sampler);
    if (context != nullptr) llama_free(context);
    if (model != nullptr) llama_model_free(model);
  }

  void Add(llama_token token, int position, int stream, bool output) {
    const int i = batch.n_tokens++;
    batch.token[i] = token;
    batch.pos[i] = position;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = stream;
    batch.logits[i] = output ? 1 : 0;
  }

  Status Decode() {
    if (const int32_t code = llama_decode(context, batch); code != 0) {
      return Fail(ErrorCode::kInternal, "llama_decode failed with code " + std::to_string(code));
    }
    llama_synchronize(context);
    batch.n_tokens = 0;
    return {};
  }
};

RawDecoding::RawDecoding(std::unique_ptr<State> state) : state_(std::move(state)) {}
RawDecoding::RawDecoding(RawDecoding&& other) noexcept = default;
RawDecoding::~RawDecoding() = default;

Result<RawDecoding> RawDecoding::Create(const RawDecodingOptions& options) {
  llama::SilenceLlamaLog();
  llama_backend_init();
  PLUMBLINE_TRY(ReadGgufInfo(options.path));
  auto state = std::make_unique<State>();
  state->options = options;
  state->model = llama_model_load_from_file(options.path.c_str(), llama_model_default_params());
  if (state->model == nullptr) {
    return Fail(ErrorCode::kModelFile, options.path + ": can't be loaded");
  }
  llama_context_params params = llama_context_default_params();
  params.n_ctx = options.prompt_tokens + options.streams * options.new_tokens + 64;
  params.n_batch = 512;
  params.n_ubatch = 512;
  params.n_seq_max = options.streams;
  params.kv_unified = true;
  params.n_threads = options.threads;
  params.n_threads_batch = options.threads;
  params.flash_attn_type =
      options.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  state->context = llama_init_from_model(state->model, params);
  if (state->context == nullptr) return Fail(ErrorCode::kExhausted, "no memory for a context");
  state->batch = llama_batch_init(512, 0, 1);
  state->sampler = llama_sampler_chain_init(llama_sampler_chain_default_params());
  llama_sampler_chain_add(state->sampler, llama_sampler_init_temp(1.0F));
  llama_sampler_chain_add(state->sampler, llama_sampler_init_dist(1));
  return RawDecoding(std::move(state));
}

Result<RawDecodingResult> RawDecoding::Run() {
  State& state = *state_;
  const RawDecodingOptions& options = state.options;
  llama_memory_t memory = llama_get_memory(state.context);
  llama_memory_clear(memory, false);
  RawDecodingResult result;

  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < options.prompt_tokens; ++i) {
    state.Add(AnyToken(i), i, 0, i + 1 == options.prompt_tokens);
    if (state.batch.n_tokens == 512) PLUMBLINE_TRY(state.Decode());
  }
  if (state.batch.n_tokens > 0) PLUMBLINE_TRY(state.Decode());
  for (int stream = 1; stream < options.streams; ++stream) {
    llama_memory_seq_cp(memory, 0, stream, -1, -1);
  }
  result.prompt_seconds = SecondsSince(begin);

  const Clock::time_point start = Clock::now();
  std::vector<llama_token> next(options.streams);
  for (int step = 0; step < options.new_tokens; ++step) {
    for (int stream = 0; stream < options.streams; ++stream) {
      const llama_token token =
          options.sample && step > 0 ? next[stream] : AnyToken(step * 131 + stream);
      state.Add(token, options.prompt_tokens + step, stream, true);
    }
    PLUMBLINE_TRY(state.Decode());
    for (int stream = 0; options.sample && stream < options.streams; ++stream) {
      next[stream] = llama_sampler_sample(state.sampler, state.context, stream);
    }
  }
  result.decode_seconds = SecondsSince(start);
  return result;
}

}  // namespace plumbline
