#include "plumbline/model/chat.h"

namespace plumbline {

std::string PromptText(const Prompt& prompt) {
  std::string text;
  for (const PromptPiece& piece : prompt) text += piece.text;
  return text;
}

Prompt FormatPlainChat(const Dialogue& dialogue, const ChatStyle& style) {
  std::string text;
  for (const Message& message : dialogue) {
    if (!text.empty()) text += "\n\n";
    if (message.role == Role::kUser) text += style.user_name + ": ";
    if (message.role == Role::kAssistant) text += style.assistant_name + ": ";
    text += message.text;
  }
  const bool assistant_continues = !dialogue.empty() && dialogue.back().role == Role::kAssistant;
  if (!assistant_continues) text += "\n\n" + style.assistant_name + ":";
  return PlainPrompt(std::move(text));
}

}  // namespace plumbline
