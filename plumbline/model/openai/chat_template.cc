#include "plumbline/model/openai/chat_template.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "plumbline/model/openai/completion_request.h"
#include "plumbline/model/openai/json_reader.h"

namespace plumbline::openai {
namespace {

using nlohmann::json;

constexpr size_t kRememberedTexts = 4096;

/// Stands for a message's text; no template changes it.
std::string Mark(size_t message) { return "plumblineMark" + std::to_string(message) + "End"; }

Dialogue WithMarks(Dialogue dialogue) {
  for (size_t i = 0; i < dialogue.size(); ++i) dialogue[i].text = Mark(i);
  return dialogue;
}

/// What the template writes before, between and after the messages; nothing if it writes a message
/// twice, never, or out of order.
std::optional<std::vector<std::string>> SplitAtMarks(const std::string& text, size_t messages) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (size_t i = 0; i < messages; ++i) {
    const size_t mark = text.find(Mark(i));
    if (mark == text.npos || mark < at || text.find(Mark(i), mark + 1) != text.npos) return {};
    parts.push_back(text.substr(at, mark - at));
    at = mark + Mark(i).size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\f\v");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\f\v") - begin + 1);
}

/// Fills the dialogue's texts, as they are or trimmed, between the template's parts; nothing if
/// that doesn't give `whole`.
std::optional<Prompt> Interleave(const std::vector<std::string>& parts, const Dialogue& dialogue,
                                 std::string_view whole) {
  Prompt prompt{{parts[0], true}};
  if (!whole.starts_with(parts[0])) return {};
  std::string_view rest = whole.substr(parts[0].size());
  for (size_t i = 0; i < dialogue.size(); ++i) {
    bool fits = false;
    for (const std::string_view text :
         {std::string_view(dialogue[i].text), Trimmed(dialogue[i].text)}) {
      fits = rest.starts_with(text) && rest.substr(text.size()).starts_with(parts[i + 1]);
      if (!fits) continue;
      prompt.push_back({std::string(text), false});
      rest.remove_prefix(text.size() + parts[i + 1].size());
      break;
    }
    if (!fits) return {};
    prompt.push_back({parts[i + 1], true});
  }
  if (!rest.empty()) return {};
  std::erase_if(prompt, [](const PromptPiece& piece) { return piece.text.empty(); });
  return prompt;
}

bool MayForge(const Dialogue& dialogue) {
  for (const Message& message : dialogue) {
    if (message.text.find_first_of("<[") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Result<std::string> ChatTemplate::Render(const Dialogue& dialogue) const {
  json messages = json::array();
  for (const Message& message : dialogue) {
    messages.push_back({{"role", RoleName(message.role)}, {"content", message.text}});
  }
  const std::string body = DumpJson({{"messages", messages}});
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = rendered_.find(body); known != rendered_.end()) return known->second;
  }
  PLUMBLINE_ASSIGN(const std::string answer, apply_(body));
  const JsonReader reader(where_);
  PLUMBLINE_ASSIGN(const json parsed, reader.Parse(answer));
  PLUMBLINE_ASSIGN(std::string text, reader.GetString(parsed, "prompt"));
  const std::scoped_lock lock(mutex_);
  if (rendered_.size() >= kRememberedTexts) rendered_.clear();
  rendered_[body] = text;
  return text;
}

Result<Prompt> ChatTemplate::Format(const Dialogue& dialogue) const {
  // Servers differ in how they go on with an assistant's message, so it never reaches the template.
  Dialogue turns = dialogue;
  std::string begun;
  if (!turns.empty() && turns.back().role == Role::kAssistant) {
    begun = std::move(turns.back().text);
    turns.pop_back();
  }
  PLUMBLINE_ASSIGN(const std::string whole, Render(turns));
  PLUMBLINE_ASSIGN(const std::string marked, Render(WithMarks(turns)));
  std::optional<Prompt> prompt;
  if (const auto parts = SplitAtMarks(marked, turns.size())) {
    prompt = Interleave(*parts, turns, whole);
  }
  if (!prompt.has_value()) {
    if (MayForge(turns)) {
      return Fail(ErrorCode::kUnsupported,
                  "the server's chat template rewrites messages, and one of them holds '<' or '[': "
                  "it could be taken for a turn of the dialogue",
                  "use the plain chat style, or leave these characters out");
    }
    prompt = Prompt{{whole, true}};
  }
  if (!begun.empty()) prompt->push_back({std::move(begun), false});
  return std::move(*prompt);
}

}  // namespace plumbline::openai
