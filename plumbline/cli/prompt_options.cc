#include "plumbline/cli/prompt_options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>

#include "plumbline/cli/help.h"
#include "plumbline/core/posix_file.h"
#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

constexpr const char* kGroup = "Prompts";

tl::unexpected<Error> At(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return tl::unexpected(std::move(error));
}

Result<Dialogue> ReadChat(const std::string& path) {
  PLUMBLINE_ASSIGN(const std::string text, ReadWholeFile(path));
  Result<nlohmann::json> json = ParseJson(text);
  if (!json) return At(path, json.error());
  const nlohmann::json messages =
      json->is_array() ? nlohmann::json{{"messages", *json}} : std::move(*json);
  Result<PromptRecord> record = PromptFromJson(messages);
  if (!record) return At(path, record.error());
  return std::move(record->dialogue);
}

std::string ReadStandardInput() {
  std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

Status AddSystem(const std::string& system, Dialogue& dialogue) {
  if (system.empty()) return {};
  if (!dialogue.empty() && dialogue.front().role == Role::kSystem) {
    return Fail(ErrorCode::kInvalidArgument, "--system is given, and the dialogue has its own",
                "leave one of them out");
  }
  dialogue.insert(dialogue.begin(), {Role::kSystem, system});
  return {};
}

Result<Dialogue> SingleDialogue(const PromptOptions& options) {
  Dialogue dialogue;
  if (!options.chat.empty()) {
    PLUMBLINE_ASSIGN(dialogue, ReadChat(options.chat));
  }
  const auto next_role = [&] {
    const bool after_user = !dialogue.empty() && dialogue.back().role == Role::kUser;
    return after_user ? Role::kAssistant : Role::kUser;
  };
  for (const std::string& turn : options.turns) dialogue.push_back({next_role(), turn});
  if (options.prompt) {
    if (!dialogue.empty() && dialogue.back().role == Role::kUser) {
      return Fail(ErrorCode::kInvalidArgument, "PROMPT follows another message of the user",
                  "give the assistant's reply by --turn, or leave PROMPT out");
    }
    const bool piped = *options.prompt == "-";
    dialogue.push_back({Role::kUser, piped ? ReadStandardInput() : *options.prompt});
  }
  PLUMBLINE_TRY(AddSystem(options.system, dialogue));
  PLUMBLINE_TRY(ValidateDialogue(dialogue));
  return dialogue;
}

Result<std::vector<PromptRecord>> FromFile(const PromptOptions& options) {
  PromptSource source;
  source.path = options.input;
  PLUMBLINE_ASSIGN(source.format, ParsePromptFormat(options.format));
  source.column = options.column;
  source.skip = options.skip;
  if (options.limit > 0) source.limit = options.limit;
  PLUMBLINE_ASSIGN(std::vector<PromptRecord> records, ReadPrompts(source));
  for (PromptRecord& record : records) {
    if (Status added = AddSystem(options.system, record.dialogue); !added) {
      return At(record.where, added.error());
    }
  }
  return records;
}

}  // namespace

void AddPromptOptions(CLI::App& app, PromptOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group(kGroup); };
  group(app.add_option("PROMPT", options.prompt,
                       "What the user says. -: read it from standard "
                       "input"));
  group(app.add_option("--system", options.system, "A system message before the dialogue"))
      ->type_name("TEXT");
  group(app.add_option("--turn", options.turns,
                       "A turn of the dialogue before PROMPT, user and assistant in turn; "
                       "repeatable"))
      ->allow_extra_args(false)
      ->type_name("TEXT");
  group(app.add_option("--chat", options.chat,
                       "A dialogue as JSON: [{\"role\", \"content\"}, ...] or {\"messages\": "
                       "[...]}"))
      ->type_name("FILE");
  group(app.add_option("-i,--input", options.input,
                       "A file of prompts, plain or gzip-compressed; -: standard input"))
      ->type_name("FILE");
  group(app.add_option("--format", options.format,
                       "auto, jsonl (`prompt` or `messages`, `id`, `system`), hh (`chosen`), csv "
                       "or text (one prompt a line)"))
      ->check(OneOf({"auto", "jsonl", "hh", "csv", "text"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  group(app.add_option("--column", options.column,
                       "The CSV column or JSONL field with the prompt. Default: prompt"))
      ->type_name("NAME");
  group(app.add_option("--skip", options.skip, "Leave out the first N prompts of the file"))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--limit", options.limit, "Then take at most N; 0: all"))
      ->type_name("N")
      ->capture_default_str();
}

Result<std::vector<PromptRecord>> CollectPrompts(const PromptOptions& options) {
  const bool single = options.prompt || !options.chat.empty() || !options.turns.empty();
  if (single && options.from_file()) {
    return Fail(ErrorCode::kInvalidArgument, "both a prompt and --input are given",
                "leave one of them out");
  }
  if (options.from_file()) return FromFile(options);
  if (!single) {
    return Fail(ErrorCode::kInvalidArgument, "no prompt is given",
                "give PROMPT, --chat FILE or --input FILE; see plumbline generate --help");
  }
  PromptRecord record;
  PLUMBLINE_ASSIGN(record.dialogue, SingleDialogue(options));
  return std::vector<PromptRecord>{std::move(record)};
}

}  // namespace plumbline
