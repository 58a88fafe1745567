#include "plumbline/scoring/check_set.h"

#include <algorithm>

#include "plumbline/core/text.h"
#include "plumbline/data/json_text.h"
#include "plumbline/scoring/embedded_files.h"

namespace plumbline {
namespace {

using nlohmann::json;

const std::vector<std::string> kFields = {"criterion", "prompt", "reply", "label"};

Status CheckFields(const json& row) {
  if (!row.is_object()) return Fail(ErrorCode::kInvalidInput, "not a JSON object");
  for (const auto& [name, value] : row.items()) {
    if (std::find(kFields.begin(), kFields.end(), name) != kFields.end()) continue;
    const std::string nearest = NearestName(name, kFields);
    return Fail(ErrorCode::kInvalidInput,
                "unknown field '" + name + "'" +
                    (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  for (const std::string& name : kFields) {
    if (name != "prompt" && !(row.contains(name) && row[name].is_string())) {
      return Fail(ErrorCode::kInvalidInput, "field '" + name + "' must be a string");
    }
  }
  return {};
}

Result<Dialogue> ReadPrompt(const json& row) {
  const auto wrong = [] {
    return Fail(ErrorCode::kInvalidInput,
                "field 'prompt' must be a string, or strings of user and assistant in turn that "
                "end with the user's");
  };
  if (!row.contains("prompt")) return wrong();
  const json& prompt = row["prompt"];
  if (prompt.is_string()) return Dialogue{{Role::kUser, prompt.get<std::string>()}};
  if (!prompt.is_array() || prompt.size() % 2 == 0) return wrong();
  Dialogue dialogue;
  for (const json& turn : prompt) {
    if (!turn.is_string()) return wrong();
    const Role role = dialogue.size() % 2 == 0 ? Role::kUser : Role::kAssistant;
    dialogue.push_back({role, turn.get<std::string>()});
  }
  return dialogue;
}

Result<LabelledReply> ReadRow(std::string_view line) {
  PLUMBLINE_ASSIGN(const json row, ParseJson(line));
  PLUMBLINE_TRY(CheckFields(row));
  LabelledReply item;
  item.criterion = row["criterion"].get<std::string>();
  item.reply = row["reply"].get<std::string>();
  const std::string label = row["label"].get<std::string>();
  if (label != "good" && label != "bad") {
    return Fail(ErrorCode::kInvalidInput, "field 'label' must be \"good\" or \"bad\"");
  }
  item.good = label == "good";
  PLUMBLINE_ASSIGN(item.dialogue, ReadPrompt(row));
  PLUMBLINE_TRY(ValidateDialogue(item.dialogue));
  return item;
}

}  // namespace

Result<std::vector<LabelledReply>> ParseLabelledReplies(std::string_view jsonl,
                                                        std::string_view source) {
  std::vector<LabelledReply> items;
  for (int number = 1; !jsonl.empty(); ++number) {
    const size_t end = jsonl.find('\n');
    const std::string_view line = jsonl.substr(0, end);
    jsonl = end == std::string_view::npos ? std::string_view() : jsonl.substr(end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<LabelledReply> item = ReadRow(line);
    if (!item.has_value()) {
      return Fail(item.error().code,
                  std::string(source) + ":" + std::to_string(number) + ": " + item.error().message,
                  item.error().hint);
    }
    items.push_back(std::move(*item));
  }
  return items;
}

Result<std::vector<LabelledReply>> LoadCheckSet(std::string_view criterion) {
  std::vector<LabelledReply> all;
  for (const EmbeddedFile& file : EmbeddedCheckSets()) {
    if (!criterion.empty() && file.name != criterion) continue;
    PLUMBLINE_ASSIGN(std::vector<LabelledReply> items,
                     ParseLabelledReplies(file.text, std::string(file.name) + ".jsonl"));
    for (LabelledReply& item : items) all.push_back(std::move(item));
  }
  return all;
}

}  // namespace plumbline
