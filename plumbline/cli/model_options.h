// The flags that say which models to use and how to load them; shared by all subcommands that
// run one.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/core/executor.h"
#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"

namespace plumbline {

struct ModelOptions {
  std::string model;              ///< GGUF path or server URL; empty: the default model.
  std::string remote_model;       ///< The name that the server knows the model by.
  std::vector<std::string> lora;  ///< "FILE" or "FILE:SCALE".
  std::string judge_model;        ///< GGUF path or URL; empty: the model itself judges.
  std::string embedding_model;    ///< GGUF path; empty: the model's own hidden states.
  std::string chat_style = "auto";
  int context = 8192;  ///< Cells of the key/value cache.
  int threads = 0;
  int gpu_layers = -1;
  bool deterministic = false;
};

/// Declares the flags. `judging`: with --judge-model and --embedding-model.
void AddModelOptions(CLI::App& app, ModelOptions& options, bool judging);

/// Of these, only the flags that say how models run: cache, threads, GPU, determinism. For
/// subcommands that name their models otherwise.
void AddLoadOptions(CLI::App& app, ModelOptions& options);

/// Loaded models and the thread that runs them.
struct Models {
  std::unique_ptr<LanguageModel> writer;
  std::unique_ptr<LanguageModel> judge;     ///< Null: the writer judges.
  std::unique_ptr<LanguageModel> embedder;  ///< Null: the writer embeds.
  std::unique_ptr<Executor> executor;       ///< Last, so that it ends before its models.

  LanguageModel& JudgeOrWriter() const { return judge ? *judge : *writer; }
};

/// Whether the model files can be loaded as far as their headers say: before a results file is
/// begun with them.
Status CheckModelFiles(const ModelOptions& options);

/// Loads what the options name and starts the executor.
Result<Models> LoadModels(const ModelOptions& options);

/// "auto" or "plain" as a ChatStyle.
ChatStyle ChatStyleOf(const ModelOptions& options);

/// What of the models determines answers, for the header of a results file: names and sizes, not
/// folders, threads or cache sizes.
nlohmann::json ModelSettings(const ModelOptions& options);

/// A key for what is remembered about the judging model between runs; changes when its file does.
std::string JudgeKey(const ModelOptions& options);

}  // namespace plumbline
