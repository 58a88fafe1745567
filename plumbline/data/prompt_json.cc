#include "plumbline/data/prompt_json.h"

#include "plumbline/core/text.h"
#include "plumbline/data/hh_dialogue.h"

namespace plumbline::internal {
namespace {

using nlohmann::json;

Result<std::string> StringField(const json& object, const std::string& name) {
  if (!object.contains(name)) return std::string();
  const json& value = object.at(name);
  if (!value.is_string()) {
    return Fail(ErrorCode::kInvalidInput,
                "field '" + name + "' is " + value.type_name() + " where text is wanted");
  }
  return value.get<std::string>();
}

Result<std::string> IdOf(const json& object) {
  if (!object.contains("id")) return std::string();
  const json& id = object.at("id");
  if (id.is_string()) return id.get<std::string>();
  if (id.is_number_integer()) return id.dump();
  return Fail(ErrorCode::kInvalidInput, "field 'id' is neither text nor a whole number");
}

tl::unexpected<Error> MissingPrompt(const json& object, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  const std::string nearest = NearestName(wanted, names);
  std::string hint = nearest.empty() ? "name the field by --column NAME"
                                     : "did you mean --column " + nearest + "?";
  const std::string what =
      wanted == "prompt" ? "no field 'prompt' or 'messages'" : "no field '" + wanted + "'";
  return Fail(ErrorCode::kInvalidInput, what, std::move(hint));
}

Result<Message> MessageFromJson(const json& value, size_t number) {
  const std::string what = "message " + std::to_string(number);
  if (!value.is_object() || !value.contains("role") || !value.contains("content")) {
    return Fail(ErrorCode::kInvalidInput, what + " needs the fields 'role' and 'content'");
  }
  if (!value.at("role").is_string() || !value.at("content").is_string()) {
    return Fail(ErrorCode::kInvalidInput, what + ": 'role' and 'content' must be text");
  }
  Message message;
  PLUMBLINE_ASSIGN(message.role, ParseRole(value.at("role").get<std::string>()));
  message.text = value.at("content").get<std::string>();
  return message;
}

Result<Dialogue> DialogueFromMessages(const json& messages) {
  if (!messages.is_array()) {
    return Fail(ErrorCode::kInvalidInput, "field 'messages' isn't a list");
  }
  Dialogue dialogue;
  for (const json& value : messages) {
    PLUMBLINE_ASSIGN(Message message, MessageFromJson(value, dialogue.size() + 1));
    dialogue.push_back(std::move(message));
  }
  return dialogue;
}

Result<Dialogue> DialogueFromObject(const json& object, const std::string& field) {
  const std::string name = field.empty() ? "prompt" : field;
  const bool has_messages = field.empty() && object.contains("messages");
  if (has_messages && object.contains("prompt")) {
    return Fail(ErrorCode::kInvalidInput, "both 'prompt' and 'messages' are given",
                "keep one, or name the field by --column NAME");
  }
  if (has_messages) return DialogueFromMessages(object.at("messages"));
  if (!object.contains(name)) return MissingPrompt(object, name);
  if (object.at(name).is_array()) return DialogueFromMessages(object.at(name));
  PLUMBLINE_ASSIGN(std::string text, StringField(object, name));
  return Dialogue{{Role::kUser, std::move(text)}};
}

}  // namespace

bool LooksLikeHhPair(const json& object) {
  return object.is_object() && object.contains("chosen") && !object.contains("prompt") &&
         !object.contains("messages");
}

Result<PromptRecord> PromptFromObject(const json& object, const std::string& field) {
  if (!object.is_object()) return Fail(ErrorCode::kInvalidInput, "the line isn't a JSON object");
  PromptRecord record;
  PLUMBLINE_ASSIGN(record.id, IdOf(object));
  PLUMBLINE_ASSIGN(record.dialogue, DialogueFromObject(object, field));
  PLUMBLINE_ASSIGN(std::string system, StringField(object, "system"));
  if (!system.empty()) {
    record.dialogue.insert(record.dialogue.begin(), {Role::kSystem, std::move(system)});
  }
  return record;
}

Result<PromptRecord> PromptFromHhPair(const json& object) {
  if (!object.is_object()) return Fail(ErrorCode::kInvalidInput, "the line isn't a JSON object");
  if (!object.contains("chosen")) return Fail(ErrorCode::kInvalidInput, "no field 'chosen'");
  PromptRecord record;
  PLUMBLINE_ASSIGN(record.id, IdOf(object));
  PLUMBLINE_ASSIGN(const std::string chosen, StringField(object, "chosen"));
  PLUMBLINE_ASSIGN(AnsweredDialogue answered, ParseHhDialogue(chosen));
  record.dialogue = std::move(answered.prompt);
  record.preferred = std::move(answered.reply);
  PLUMBLINE_ASSIGN(const std::string rejected, StringField(object, "rejected"));
  if (!rejected.empty()) {
    PLUMBLINE_ASSIGN(AnsweredDialogue other, ParseHhDialogue(rejected));
    record.rejected = std::move(other.reply);
  }
  return record;
}

}  // namespace plumbline::internal
