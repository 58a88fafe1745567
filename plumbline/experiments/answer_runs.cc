#include "plumbline/experiments/answer_runs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "plumbline/core/sha256.h"
#include "plumbline/data/json_text.h"
#include "plumbline/data/prompts.h"
#include "plumbline/experiments/json_lines.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::string_view kRunSchema = "plumbline.run/1";
constexpr std::string_view kAnswerSchema = "plumbline.answer/1";

struct NumberedAnswer {
  double index = 0;  // of the prompt in its file
  RecordedAnswer answer;
};

// A file's answers, procedure by procedure, as they are read.
struct FileContent {
  json settings;
  std::vector<AnswerRun> runs;
  std::vector<std::vector<NumberedAnswer>> answers;  // by run
};

Result<NumberedAnswer> ParseAnswer(const json& line) {
  NumberedAnswer read;
  RecordedAnswer& answer = read.answer;
  PLUMBLINE_ASSIGN(PromptRecord prompt, PromptFromJson(line));
  answer.prompt = JsonLine(line.at("messages"));
  answer.dialogue = std::move(prompt.dialogue);
  PLUMBLINE_ASSIGN(answer.reply, TextAt(line, "/answer/text"));
  PLUMBLINE_ASSIGN(answer.tokens, NumberAt(line, "/answer/tokens"));
  PLUMBLINE_ASSIGN(answer.tokens_read, NumberAt(line, "/usage/tokens_read"));
  PLUMBLINE_ASSIGN(answer.seconds, NumberAt(line, "/seconds"));
  PLUMBLINE_ASSIGN(read.index, NumberAt(line, "/index"));
  if (answer.dialogue.back().role == Role::kAssistant) {
    answer.reply = answer.dialogue.back().text + answer.reply;
    answer.dialogue.pop_back();
  }
  return read;
}

Status TakeAnswer(const json& line, FileContent& content) {
  PLUMBLINE_ASSIGN(const std::string procedure, TextAt(line, "/procedure"));
  PLUMBLINE_ASSIGN(const std::string model, TextAt(line, "/model"));
  if (!line.contains("messages")) {
    return Fail(ErrorCode::kInvalidInput, "field /messages is missing");
  }
  PLUMBLINE_ASSIGN(NumberedAnswer answer, ParseAnswer(line));
  size_t run = 0;
  while (run < content.runs.size() && content.runs[run].procedure != procedure) ++run;
  if (run == content.runs.size()) {
    content.runs.push_back({"", "", procedure, model, {}, {}});
    content.answers.emplace_back();
  }
  content.answers[run].push_back(std::move(answer));
  return {};
}

Status TakeLine(const json& line, FileContent& content) {
  const Result<std::string> schema = TextAt(line, "/schema");
  if (schema && *schema == kAnswerSchema) return TakeAnswer(line, content);
  if (schema && *schema == kRunSchema && line.contains("settings")) {
    content.settings = line.at("settings");
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "neither a header nor an answer of schema " + std::string(kAnswerSchema),
              "give files that `plumbline generate --output` or `--json` wrote");
}

// Equal prompts are told apart by how many of them came before, as `generate` does.
std::vector<RecordedAnswer> InOrder(std::vector<NumberedAnswer> answers) {
  std::stable_sort(
      answers.begin(), answers.end(),
      [](const NumberedAnswer& a, const NumberedAnswer& b) { return a.index < b.index; });
  std::map<std::string, int> occurrences;
  std::vector<RecordedAnswer> ordered;
  for (NumberedAnswer& one : answers) {
    const int occurrence = occurrences[one.answer.prompt]++;
    one.answer.prompt = Sha256Hex(one.answer.prompt + "\n" + std::to_string(occurrence));
    ordered.push_back(std::move(one.answer));
  }
  return ordered;
}

Result<std::vector<AnswerRun>> ReadFile(const std::string& path) {
  FileContent content;
  const auto take = [&content](const json& line) { return TakeLine(line, content); };
  PLUMBLINE_TRY(ForEachJsonLine(path, take));
  if (content.runs.empty()) {
    return Fail(ErrorCode::kInvalidInput, path + " holds no answers",
                "let `plumbline generate --output` finish some first");
  }
  const std::string stem = std::filesystem::path(path).stem().string();
  for (size_t i = 0; i < content.runs.size(); ++i) {
    AnswerRun& run = content.runs[i];
    run.name = content.runs.size() == 1 ? stem : stem + ":" + run.procedure;
    run.source = path;
    run.settings = content.settings;
    run.answers = InOrder(std::move(content.answers[i]));
  }
  return std::move(content.runs);
}

// Files of the same name in different folders are named by their whole paths.
void MakeNamesDistinct(std::vector<AnswerRun>& runs) {
  std::map<std::string, int> uses;
  for (const AnswerRun& run : runs) ++uses[run.name];
  for (AnswerRun& run : runs) {
    if (uses[run.name] > 1) run.name = run.source + ":" + run.procedure;
  }
}

// Nothing can be said of two runs over different prompts.
Status CheckCommonPrompts(const std::vector<AnswerRun>& runs) {
  std::set<std::string> prompts;
  for (const RecordedAnswer& answer : runs.front().answers) prompts.insert(answer.prompt);
  for (const AnswerRun& run : runs) {
    const bool common = std::any_of(
        run.answers.begin(), run.answers.end(),
        [&prompts](const RecordedAnswer& answer) { return prompts.contains(answer.prompt); });
    if (common) continue;
    return Fail(ErrorCode::kInvalidArgument,
                run.name + " and " + runs.front().name + " have no prompt in common",
                "compare runs over the same prompts");
  }
  return {};
}

}  // namespace

Result<std::vector<AnswerRun>> ReadAnswerRuns(const std::vector<std::string>& paths) {
  std::vector<AnswerRun> all;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    if (!seen.insert(path).second) {
      return Fail(ErrorCode::kInvalidArgument, path + " is given twice");
    }
    PLUMBLINE_ASSIGN(std::vector<AnswerRun> runs, ReadFile(path));
    for (AnswerRun& run : runs) all.push_back(std::move(run));
  }
  MakeNamesDistinct(all);
  PLUMBLINE_TRY(CheckCommonPrompts(all));
  return all;
}

}  // namespace plumbline
