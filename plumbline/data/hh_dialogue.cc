#include "plumbline/data/hh_dialogue.h"

#include <algorithm>

namespace plumbline {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";
constexpr std::string_view kBlanks = " \t\r\n";

std::string Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

// Takes one turn off the front of `text`, which begins with a marker.
Message TakeTurn(std::string_view& text) {
  const bool human = text.starts_with(kHuman);
  text.remove_prefix(human ? kHuman.size() : kAssistant.size());
  const size_t end = std::min({text.find(kHuman), text.find(kAssistant), text.size()});
  Message turn{human ? Role::kUser : Role::kAssistant, Trim(text.substr(0, end))};
  text.remove_prefix(end);
  return turn;
}

}  // namespace

Result<AnsweredDialogue> ParseHhDialogue(std::string_view text) {
  if (!text.starts_with(kHuman) && !text.starts_with(kAssistant)) {
    return Fail(ErrorCode::kInvalidInput,
                R"(the dialogue doesn't begin with "\n\nHuman:" or "\n\nAssistant:")");
  }
  AnsweredDialogue dialogue;
  while (!text.empty()) dialogue.prompt.push_back(TakeTurn(text));
  if (dialogue.prompt.back().role != Role::kAssistant) {
    return Fail(ErrorCode::kInvalidInput, "the dialogue doesn't end with an assistant's turn");
  }
  dialogue.reply = std::move(dialogue.prompt.back().text);
  dialogue.prompt.pop_back();
  if (dialogue.prompt.empty() || dialogue.prompt.back().role != Role::kUser) {
    return Fail(ErrorCode::kInvalidInput, "the last reply doesn't answer a human's turn");
  }
  return dialogue;
}

}  // namespace plumbline
