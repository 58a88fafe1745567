#include "plumbline/cli/model_options.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plumbline/cli/default_model.h"
#include "plumbline/cli/help.h"
#include "plumbline/core/sha256.h"
#include "plumbline/model/llama/gguf_info.h"
#include "plumbline/model/llama/llama_model.h"
#include "plumbline/model/openai/openai_model.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGroup = "Model";

bool IsUrl(const std::string& name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

std::string WriterName(const ModelOptions& options) {
  return options.model.empty() ? DefaultModelPath() : options.model;
}

// Splits "FILE:SCALE". A colon that no number follows belongs to the file's name.
Result<LlamaAdapter> ParseAdapter(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return LlamaAdapter{text, 1.0};
  const std::string number = text.substr(colon + 1);
  char* end = nullptr;
  const double scale = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0') return LlamaAdapter{text, 1.0};
  return LlamaAdapter{text.substr(0, colon), scale};
}

Status CheckDefaultModel(const std::string& path) {
  if (path != DefaultModelPath() || fs::exists(path)) return {};
  return Fail(ErrorCode::kModelFile, "the default model isn't there: " + path,
              "get it by: plumbline models fetch; or name another model file");
}

Result<std::unique_ptr<LanguageModel>> LoadEmbedded(const std::string& path,
                                                    const ModelOptions& options,
                                                    const std::vector<std::string>& adapters) {
  PLUMBLINE_TRY(CheckDefaultModel(path));
  LlamaOptions llama;
  llama.path = path;
  llama.cells = options.context;
  llama.threads = options.threads;
  llama.gpu_layers = options.gpu_layers;
  llama.deterministic = options.deterministic;
  for (const std::string& text : adapters) {
    PLUMBLINE_ASSIGN(LlamaAdapter adapter, ParseAdapter(text));
    llama.adapters.push_back(std::move(adapter));
  }
  PLUMBLINE_ASSIGN(std::unique_ptr<LanguageModel> model, LoadLlamaModel(llama));
  return model;
}

Result<std::unique_ptr<LanguageModel>> LoadRemote(const std::string& url, const std::string& name) {
  OpenAiOptions remote;
  remote.base_url = url;
  remote.model = name;
  PLUMBLINE_ASSIGN(std::unique_ptr<LanguageModel> model, ConnectOpenAi(remote));
  return model;
}

Result<std::unique_ptr<LanguageModel>> LoadWriter(const ModelOptions& options) {
  const std::string name = WriterName(options);
  if (!IsUrl(name)) {
    if (!options.remote_model.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "--remote-model without a server",
                  "give the server's address by --model http://HOST:PORT");
    }
    return LoadEmbedded(name, options, options.lora);
  }
  if (!options.lora.empty()) {
    return Fail(ErrorCode::kUnsupported, "--lora can't be given for a remote model",
                "load the adapter on the server");
  }
  return LoadRemote(name, options.remote_model);
}

Result<std::unique_ptr<LanguageModel>> LoadOptional(const std::string& name,
                                                    const ModelOptions& options) {
  if (name.empty()) return std::unique_ptr<LanguageModel>();
  return IsUrl(name) ? LoadRemote(name, "") : LoadEmbedded(name, options, {});
}

nlohmann::json Identity(const std::string& name) {
  if (name.empty() || IsUrl(name)) return name;
  std::error_code error;
  const auto bytes = fs::file_size(name, error);
  return {{"file", fs::path(name).filename().string()}, {"bytes", error ? 0 : bytes}};
}

}  // namespace

void AddModelOptions(CLI::App& app, ModelOptions& options, bool judging) {
  const auto group = [](CLI::Option* option) { option->group(kGroup); };
  group(app.add_option("-m,--model", options.model,
                       "A GGUF file, or the address of an OpenAI-compatible server "
                       "(http://HOST:PORT). Default: SmolLM2-135M-Instruct, which "
                       "`plumbline models fetch` gets")
            ->type_name("FILE|URL"));
  group(app.add_option("--remote-model", options.remote_model,
                       "The model's name on the server. Default: the only one that it has")
            ->type_name("NAME"));
  group(app.add_option("--lora", options.lora, "A LoRA adapter as GGUF, and its scale; repeatable")
            ->allow_extra_args(false)
            ->type_name("FILE[:SCALE]"));
  if (judging) {
    group(app.add_option("--judge-model", options.judge_model,
                         "Another model as the judge. Default: the model judges itself")
              ->type_name("FILE|URL"));
    group(app.add_option("--embedding-model", options.embedding_model,
                         "A GGUF embedding model for RAIN's similarity. Default: the model's own "
                         "hidden states, which tell texts apart less well")
              ->type_name("FILE"));
  }
  group(app.add_option("--chat-style", options.chat_style,
                       "auto: the model's own chat template, if it has one; plain: \"Human: ... "
                       "Assistant:\", for base models")
            ->check(OneOf({"auto", "plain"}))
            ->type_name("STYLE")
            ->capture_default_str());
  AddLoadOptions(app, options);
}

void AddLoadOptions(CLI::App& app, ModelOptions& options) {
  const auto group = [](CLI::Option* option) { option->group(kGroup); };
  group(app.add_option("--ctx", options.context,
                       "Tokens that the key/value cache holds, for all prompts together")
            ->check(CLI::Range(256, 1 << 24).description(""))
            ->type_name("TOKENS")
            ->capture_default_str());
  group(app.add_option("--threads", options.threads, "CPU threads. 0: one for each processor")
            ->check(CLI::Range(0, 4096).description(""))
            ->type_name("N")
            ->capture_default_str());
  group(app.add_option("--gpu-layers", options.gpu_layers,
                       "Layers on the GPU, if the build has a GPU backend. -1: all")
            ->check(CLI::Range(-1, 100000).description(""))
            ->type_name("N")
            ->capture_default_str());
  group(app.add_flag("--deterministic", options.deterministic,
                     "The same seed gives the same answer whatever the threads, the batch and the "
                     "load; slower"));
}

Status CheckModelFiles(const ModelOptions& options) {
  PLUMBLINE_TRY(CheckDefaultModel(WriterName(options)));
  for (const std::string& name :
       {WriterName(options), options.judge_model, options.embedding_model}) {
    if (!name.empty() && !IsUrl(name)) PLUMBLINE_TRY(ReadGgufInfo(name));
  }
  return {};
}

Result<Models> LoadModels(const ModelOptions& options) {
  Models models;
  PLUMBLINE_ASSIGN(models.writer, LoadWriter(options));
  PLUMBLINE_ASSIGN(models.judge, LoadOptional(options.judge_model, options));
  PLUMBLINE_ASSIGN(models.embedder, LoadOptional(options.embedding_model, options));
  std::vector<Backend*> backends = {models.writer.get()};
  if (models.judge) backends.push_back(models.judge.get());
  if (models.embedder) backends.push_back(models.embedder.get());
  models.executor = std::make_unique<Executor>(std::move(backends));
  return models;
}

ChatStyle ChatStyleOf(const ModelOptions& options) {
  ChatStyle style;
  if (options.chat_style == "plain") style.kind = ChatStyle::Kind::kPlain;
  return style;
}

nlohmann::json ModelSettings(const ModelOptions& options) {
  return {{"model", Identity(WriterName(options))},
          {"remote-model", options.remote_model},
          {"lora", options.lora},
          {"judge-model", Identity(options.judge_model)},
          {"embedding-model", Identity(options.embedding_model)},
          {"chat-style", options.chat_style},
          {"deterministic", options.deterministic}};
}

std::string JudgeKey(const ModelOptions& options) {
  const bool own = options.judge_model.empty();
  const std::string name = own ? WriterName(options) : options.judge_model;
  std::string key = name + "\n" + (own ? options.remote_model : "");
  if (own) {
    for (const std::string& adapter : options.lora) key += "\n" + adapter;
  }
  std::error_code error;
  if (const auto bytes = fs::file_size(name, error); !error) {
    key += "\n" + std::to_string(bytes) + "\n" +
           std::to_string(fs::last_write_time(name, error).time_since_epoch().count());
  }
  return Sha256Hex(key);
}

}  // namespace plumbline
