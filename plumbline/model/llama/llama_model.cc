#include "plumbline/model/llama/llama_model.h"

#include <llama.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "plumbline/model/llama/chat_template.h"
#include "plumbline/model/llama/embedder.h"
#include "plumbline/model/llama/engine.h"
#include "plumbline/model/llama/gguf_info.h"
#include "plumbline/model/llama/llama_log.h"
#include "plumbline/model/llama/vocabulary.h"

namespace plumbline {
namespace llama {
namespace {

struct ModelDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
using ModelPtr = std::unique_ptr<llama_model, ModelDeleter>;

// Sequences of one context. llama.cpp's own bound is 256; each may cost it a row of logits.
constexpr int kSequences = 128;
// Two sequences are the engine's own: see Engine.
constexpr int kSlots = kSequences - 2;
// Small passes keep to the kernels that treat every row alike: see docs/determinism.md.
constexpr int kDeterministicPass = 32;

int ThreadsFor(const LlamaOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

std::string DescriptionOf(const llama_model* model) {
  char text[256];
  llama_model_desc(model, text, sizeof text);
  return text;
}

Status CheckOptions(const LlamaOptions& options) {
  const auto require = [](bool holds, std::string message) -> Status {
    if (holds) return {};
    return Fail(ErrorCode::kInvalidArgument, std::move(message));
  };
  PLUMBLINE_TRY(require(
      options.cells >= 64 && options.cells <= (1 << 24),
      "the context must have 64 to 16,777,216 tokens, not " + std::to_string(options.cells)));
  PLUMBLINE_TRY(
      require(options.threads >= 0 && options.threads <= 1024, "threads must be 0 (all) to 1024"));
  return require(options.batch_tokens >= 1 && options.batch_tokens <= 65536,
                 "the batch must have 1 to 65,536 tokens");
}

// Refuses, by name, what has no keys and values that can be rewound.
Status CheckKind(const llama_model* model, const GgufInfo& info) {
  if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
    return Fail(ErrorCode::kUnsupported,
                info.path + ": '" + info.architecture +
                    "' models carry a recurrent state, which can't be rewound to an earlier token",
                "use a transformer model, or serve this one elsewhere and pass its URL");
  }
  if (llama_model_is_diffusion(model)) {
    return Fail(ErrorCode::kUnsupported,
                info.path + ": '" + info.architecture + "' models don't write from left to right");
  }
  return {};
}

class LlamaModelImpl final : public LlamaModel {
 public:
  LlamaModelImpl(ModelPtr model, LlamaContextPtr context, const LlamaOptions& options,
                 ModelInfo info)
      : model_(std::move(model)),
        context_(std::move(context)),
        info_(std::move(info)),
        threads_(ThreadsFor(options)),
        vocabulary_(llama_model_get_vocab(model_.get())),
        template_(model_.get()) {
    info_.has_chat_template = template_.exists();
    if (context_ != nullptr) MakeEngine(options);
  }

  Status LoadAdapters(const std::vector<LlamaAdapter>& adapters);

  // Backend
  bool RunRound() override { return engine_ != nullptr && engine_->RunRound(); }

  // LlamaModel
  LlamaCounters counters() const override {
    if (engine_ == nullptr) return {};
    const EngineStats stats = engine_->stats();
    return {stats.rounds, stats.tokens, stats.evictions, stats.cells_used};
  }

  // LanguageModel
  const ModelInfo& info() const override { return info_; }
  Result<Prompt> FormatChat(const Dialogue& dialogue, const ChatStyle& style) const override;
  Result<int> CountTokens(std::string_view text) const override {
    return static_cast<int>(vocabulary_.Tokenize(text, /*special=*/false).size());
  }
  Result<Branch> Open(const Prompt& prompt) override;
  Result<Branch> Append(const Branch& branch, const Prompt& more) override;
  Result<Branch> AppendToken(const Branch& branch, TokenId token) override;
  int Length(const Branch& branch) const override {
    return NodeHandle::Of(branch).node()->position + 1;
  }
  Task<Result<std::vector<TokenSet>>> Continue(Branch branch, std::vector<Draw> draws, Until until,
                                               Call call) override;
  Task<Result<std::vector<TokenProbability>>> TopTokens(Branch branch, int k, Call call) override;
  Task<Result<std::vector<std::vector<double>>>> Choose(std::vector<Branch> branches,
                                                        std::vector<std::string> options,
                                                        Call call) override;
  Task<Result<std::vector<double>>> LogProb(Branch branch, std::string text, Call call) override;
  Task<Result<std::vector<std::vector<float>>>> Embed(std::vector<std::string> texts,
                                                      Call call) override;

 private:
  void MakeEngine(const LlamaOptions& options);
  Result<Branch> Extend(const NodeHandle& from, const std::vector<TokenId>& tokens);
  Status CheckGenerates() const;
  Status CheckRoom(const Branch& branch, int more) const;
  Result<std::vector<TokenId>> FirstTokens(const std::vector<std::string>& options) const;

  ModelPtr model_;
  LlamaContextPtr context_;  // null for a model that only embeds
  ModelInfo info_;
  int threads_;
  Vocabulary vocabulary_;
  ChatTemplate template_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Embedder> embedder_;         // made when first used
  std::vector<llama_adapter_lora*> adapters_;  // owned by the model
  std::vector<float> adapter_scales_;
};

void LlamaModelImpl::MakeEngine(const LlamaOptions& options) {
  EngineOptions engine;
  // llama.cpp rounds the size up; what was asked for is what is promised.
  engine.cells = std::min(options.cells, static_cast<int>(llama_n_ctx(context_.get())));
  engine.slots = kSlots;
  engine.max_outputs = kSequences - 1;  // One is for padding.
  engine.batch_tokens =
      static_cast<int>(llama_n_batch(context_.get())) - (options.deterministic ? 1 : 0);
  engine.deterministic = options.deterministic;
  engine_ = std::make_unique<Engine>(context_.get(), vocabulary_, engine);
}

Status LlamaModelImpl::LoadAdapters(const std::vector<LlamaAdapter>& adapters) {
  for (const LlamaAdapter& adapter : adapters) {
    PLUMBLINE_ASSIGN(const GgufInfo info, ReadGgufInfo(adapter.path));
    if (info.type != "adapter") {
      return Fail(ErrorCode::kModelFile, adapter.path + ": is a " + info.type + ", not an adapter",
                  "--lora takes a LoRA adapter in GGUF form");
    }
    llama_adapter_lora* loaded = llama_adapter_lora_init(model_.get(), adapter.path.c_str());
    if (loaded == nullptr) {
      return Fail(ErrorCode::kModelFile,
                  adapter.path + ": doesn't fit this model" + RecentLlamaError(": "),
                  "an adapter works only with the model that it was trained on");
    }
    adapters_.push_back(loaded);
    adapter_scales_.push_back(static_cast<float>(adapter.scale));
  }
  if (adapters_.empty() || context_ == nullptr) return {};
  if (llama_set_adapters_lora(context_.get(), adapters_.data(), adapters_.size(),
                              adapter_scales_.data()) != 0) {
    return Fail(ErrorCode::kInternal,
                "the LoRA adapters can't be applied" + RecentLlamaError(": "));
  }
  return {};
}

Result<Prompt> LlamaModelImpl::FormatChat(const Dialogue& dialogue, const ChatStyle& style) const {
  PLUMBLINE_TRY(ValidateDialogue(dialogue));
  if (style.kind == ChatStyle::Kind::kPlain || !template_.exists()) {
    return FormatPlainChat(dialogue, style);
  }
  return template_.Format(dialogue);
}

Result<Branch> LlamaModelImpl::Extend(const NodeHandle& from, const std::vector<TokenId>& tokens) {
  if (const int length = from.node()->position + 1 + static_cast<int>(tokens.size());
      length > info_.context_tokens) {
    return Fail(ErrorCode::kTooLong,
                "the prompt has " + std::to_string(length) + " tokens; the context holds " +
                    std::to_string(info_.context_tokens),
                "shorten it, or raise --ctx if the model allows more");
  }
  TokenNode* node = from.node();
  for (const TokenId token : tokens) node = engine_->tree()->Child(node, token);
  return Branch(std::make_shared<NodeHandle>(engine_->tree(), node));
}

Result<Branch> LlamaModelImpl::Open(const Prompt& prompt) {
  PLUMBLINE_TRY(CheckGenerates());
  const std::vector<TokenId> tokens = vocabulary_.TokenizePrompt(prompt, /*starts_sequence=*/true);
  if (tokens.empty()) return Fail(ErrorCode::kInvalidInput, "the prompt is empty");
  const NodeHandle root(engine_->tree(), engine_->tree()->root());
  return Extend(root, tokens);
}

Result<Branch> LlamaModelImpl::Append(const Branch& branch, const Prompt& more) {
  return Extend(NodeHandle::Of(branch), vocabulary_.TokenizePrompt(more, false));
}

Result<Branch> LlamaModelImpl::AppendToken(const Branch& branch, TokenId token) {
  if (token < 0 || token >= vocabulary_.size()) {
    return Fail(ErrorCode::kInvalidArgument, "no token has the id " + std::to_string(token));
  }
  return Extend(NodeHandle::Of(branch), {token});
}

Status LlamaModelImpl::CheckGenerates() const {
  if (engine_ != nullptr) return {};
  return Fail(ErrorCode::kUnsupported, info_.name + " only embeds text; it doesn't write any",
              "pass it as --embedding-model, and another as --model");
}

// A path must fit the context to its last token.
Status LlamaModelImpl::CheckRoom(const Branch& branch, int more) const {
  if (const int length = Length(branch) + more; length > info_.context_tokens) {
    return Fail(ErrorCode::kTooLong,
                "prompt and answer need " + std::to_string(length) + " tokens; the context holds " +
                    std::to_string(info_.context_tokens),
                "shorten the prompt, lower --max-tokens, or raise --ctx if the model allows more");
  }
  return {};
}

Task<Result<std::vector<TokenSet>>> LlamaModelImpl::Continue(Branch branch, std::vector<Draw> draws,
                                                             Until until, Call call) {
  for (const Draw& draw : draws) PLUMBLINE_CO_TRY(ValidateSampling(draw.sampling));
  if (until.max_tokens < 1) {
    co_return Fail(ErrorCode::kInvalidArgument, "a token set has at least one token");
  }
  PLUMBLINE_CO_TRY(CheckRoom(branch, until.max_tokens));
  GenerateOperation operation(vocabulary_, std::move(branch), std::move(draws), std::move(until),
                              std::move(call));
  const Status status = co_await engine_->Finish(operation);
  if (!status.has_value()) co_return FailWith(status);
  co_return operation.TakeSets();
}

Task<Result<std::vector<TokenProbability>>> LlamaModelImpl::TopTokens(Branch branch, int k,
                                                                      Call call) {
  TopTokensOperation operation(std::move(branch), std::max(k, 1), std::move(call));
  const Status status = co_await engine_->Finish(operation);
  if (!status.has_value()) co_return FailWith(status);
  std::vector<TokenProbability> top;
  for (const auto& [token, log_prob] : operation.top()) {
    top.push_back({token, vocabulary_.Piece(token), log_prob, vocabulary_.IsEndOfText(token)});
  }
  co_return top;
}

Result<std::vector<TokenId>> LlamaModelImpl::FirstTokens(
    const std::vector<std::string>& options) const {
  std::vector<TokenId> first;
  for (size_t i = 0; i < options.size(); ++i) {
    const std::vector<TokenId> tokens = vocabulary_.Tokenize(options[i], /*special=*/false);
    if (tokens.empty()) return Fail(ErrorCode::kInvalidArgument, "an option is empty");
    const auto same = std::find(first.begin(), first.end(), tokens.front());
    if (same != first.end()) {
      return Fail(ErrorCode::kUnsupported,
                  "for " + info_.name + " the options '" + options[same - first.begin()] +
                      "' and '" + options[i] + "' begin with the same token",
                  "choose labels that differ from their first token on");
    }
    first.push_back(tokens.front());
  }
  return first;
}

Task<Result<std::vector<std::vector<double>>>> LlamaModelImpl::Choose(
    std::vector<Branch> branches, std::vector<std::string> options, Call call) {
  PLUMBLINE_CO_ASSIGN(const std::vector<TokenId> first, FirstTokens(options));
  std::vector<LogProbOperation::Question> questions;
  for (Branch& branch : branches) questions.push_back({std::move(branch), first});
  LogProbOperation operation(std::move(questions), std::move(call));
  const Status status = co_await engine_->Finish(operation);
  if (!status.has_value()) co_return FailWith(status);
  co_return operation.TakeAnswers();
}

Task<Result<std::vector<double>>> LlamaModelImpl::LogProb(Branch branch, std::string text,
                                                          Call call) {
  const std::vector<TokenId> tokens = vocabulary_.Tokenize(text, /*special=*/false);
  PLUMBLINE_CO_TRY(CheckRoom(branch, static_cast<int>(tokens.size())));
  std::vector<LogProbOperation::Question> questions;
  for (const TokenId token : tokens) {
    questions.push_back({branch, {token}});
    branch = NodeHandle::Of(branch).Child(token);
  }
  LogProbOperation operation(std::move(questions), std::move(call));
  const Status status = co_await engine_->Finish(operation);
  if (!status.has_value()) co_return FailWith(status);
  const std::vector<std::vector<double>> answers = operation.TakeAnswers();
  std::vector<double> log_probs;
  for (const std::vector<double>& answer : answers) log_probs.push_back(answer.front());
  co_return log_probs;
}

// Embeddings are computed at once: they are short, and a round of decoding can wait for them.
Task<Result<std::vector<std::vector<float>>>> LlamaModelImpl::Embed(std::vector<std::string> texts,
                                                                    Call call) {
  if (embedder_ == nullptr) {
    PLUMBLINE_CO_ASSIGN(embedder_, Embedder::Create(model_.get(), threads_));
    if (!adapters_.empty()) {
      llama_set_adapters_lora(embedder_->context(), adapters_.data(), adapters_.size(),
                              adapter_scales_.data());
    }
  }
  std::vector<std::vector<TokenId>> sequences;
  for (const std::string& text : texts) {
    const Prompt prompt = PlainPrompt(text);
    std::vector<TokenId> tokens = vocabulary_.TokenizePrompt(prompt, /*starts_sequence=*/true);
    if (tokens.empty()) tokens = vocabulary_.Tokenize(" ", false);
    if (call.usage != nullptr) {
      call.usage->tokens_embedded +=
          std::min(static_cast<int>(tokens.size()), embedder_->max_tokens());
    }
    sequences.push_back(std::move(tokens));
  }
  co_return embedder_->Embed(sequences);
}

llama_context_params ContextParams(const LlamaOptions& options) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = options.cells;
  params.n_batch = options.batch_tokens;
  params.n_ubatch = options.batch_tokens;
  params.n_seq_max = kSequences;
  params.n_outputs_max = kSequences;
  params.n_threads = ThreadsFor(options);
  params.n_threads_batch = params.n_threads;
  params.kv_unified = true;
  params.swa_full = true;  // Past its window a smaller cache can't be rewound, and doesn't say so.
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  if (options.deterministic) {
    params.n_ubatch = std::min(options.batch_tokens, kDeterministicPass);
  }
  return params;
}

ModelInfo InfoOf(const llama_model* model, const GgufInfo& gguf, const LlamaOptions& options) {
  ModelInfo info;
  info.name = std::filesystem::path(options.path).stem().string();
  info.description = DescriptionOf(model);
  info.vocabulary_size = llama_vocab_n_tokens(llama_model_get_vocab(model));
  info.context_tokens = options.cells;
  if (gguf.context_tokens > 0) {
    info.context_tokens = std::min(info.context_tokens, gguf.context_tokens);
  }
  info.deterministic = options.deterministic;
  if (!options.deterministic) {
    info.determinism_note =
        "the same seed may give another answer at another batch width or load, because rounding "
        "depends on a batch's shape; --deterministic avoids that";
  }
  return info;
}

Result<ModelPtr> LoadWeights(const LlamaOptions& options, const GgufInfo& info) {
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = options.gpu_layers;
  params.use_extra_bufts = !options.deterministic;
  ModelPtr model(llama_model_load_from_file(options.path.c_str(), params));
  if (model == nullptr) {
    const std::string reason = RecentLlamaError(": ");
    const bool unknown = reason.find("unknown model architecture") != std::string::npos;
    return Fail(
        unknown ? ErrorCode::kUnsupported : ErrorCode::kModelFile,
        options.path + ": llama.cpp can't load this '" + info.architecture + "' model" + reason,
        "`plumbline models inspect` shows what the file holds");
  }
  return model;
}

}  // namespace
}  // namespace llama

Result<std::unique_ptr<LlamaModel>> LoadLlamaModel(const LlamaOptions& options) {
  llama::SilenceLlamaLog();
  llama_backend_init();
  PLUMBLINE_TRY(llama::CheckOptions(options));
  PLUMBLINE_ASSIGN(const GgufInfo info, ReadGgufInfo(options.path));
  if (info.type != "model") {
    return Fail(ErrorCode::kModelFile, options.path + ": is a " + info.type + ", not a model",
                "pass adapters with --lora");
  }
  PLUMBLINE_ASSIGN(llama::ModelPtr model, llama::LoadWeights(options, info));
  PLUMBLINE_TRY(llama::CheckKind(model.get(), info));
  llama::LlamaContextPtr context;
  if (llama_model_has_decoder(model.get())) {
    context.reset(llama_init_from_model(model.get(), llama::ContextParams(options)));
    if (context == nullptr) {
      return Fail(ErrorCode::kExhausted,
                  "no memory for a context of " + std::to_string(options.cells) + " tokens" +
                      llama::RecentLlamaError(": "),
                  "lower --ctx");
    }
  }
  ModelInfo model_info = llama::InfoOf(model.get(), info, options);
  auto loaded = std::make_unique<llama::LlamaModelImpl>(std::move(model), std::move(context),
                                                        options, std::move(model_info));
  PLUMBLINE_TRY(loaded->LoadAdapters(options.adapters));
  return loaded;
}

}  // namespace plumbline
