#include "plumbline/model/llama/chat_template.h"

#include <llama.h>

#include <exception>

#include "chat.h"  // llama.cpp's common library
#include "plumbline/core/check.h"

namespace plumbline::llama {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Stands for the i-th message while the template is rendered. No template text and no tokenizer
// gives these characters a meaning.
std::string Marker(size_t i) { return "\x01message-" + std::to_string(i) + "\x02"; }

// Splits a rendering with markers into the template's own text and the messages'.
Result<Prompt> SplitAtMarkers(const std::string& rendered, const Dialogue& dialogue) {
  Prompt prompt;
  size_t from = 0;
  for (size_t i = 0; i < dialogue.size(); ++i) {
    const std::string marker = Marker(i);
    const size_t at = rendered.find(marker, from);
    if (at == std::string::npos) {
      return Fail(ErrorCode::kInvalidInput,
                  "the model's chat template drops or moves the " +
                      std::string(RoleName(dialogue[i].role)) + " message",
                  "use --chat-style plain, or leave that message out");
    }
    if (at > from) prompt.push_back({rendered.substr(from, at - from), true});
    prompt.push_back({dialogue[i].text, false});
    from = at + marker.size();
  }
  if (from < rendered.size()) prompt.push_back({rendered.substr(from), true});
  return prompt;
}

}  // namespace

struct ChatTemplate::Impl {
  common_chat_templates_ptr templates;
};

ChatTemplate::ChatTemplate(const llama_model* model) {
  if (llama_model_chat_template(model, nullptr) == nullptr) return;
  try {
    auto impl = std::make_unique<Impl>();
    impl->templates = common_chat_templates_init(model, "");
    impl_ = std::move(impl);
  } catch (const std::exception&) {
    impl_ = nullptr;  // A template that can't be parsed is as good as none: plain text is used.
  }
}

ChatTemplate::~ChatTemplate() = default;

Result<std::string> ChatTemplate::Render(const Dialogue& dialogue) const {
  common_chat_templates_inputs inputs;
  inputs.use_jinja = true;
  inputs.add_generation_prompt = true;
  inputs.enable_thinking = false;
  for (const Message& message : dialogue) {
    common_chat_msg chat_message;
    chat_message.role = std::string(RoleName(message.role));
    chat_message.content = message.text;
    inputs.messages.push_back(std::move(chat_message));
  }
  try {
    return common_chat_templates_apply(impl_->templates.get(), inputs).prompt;
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalidInput,
                "the model's chat template refuses this dialogue: " + std::string(error.what()),
                "roles may have to alternate, or a system message may not be supported; "
                "--chat-style plain avoids the template");
  }
}

Result<Prompt> ChatTemplate::Format(const Dialogue& dialogue) const {
  PLUMBLINE_CHECK(exists());
  Dialogue turns = dialogue;
  std::string unfinished;
  if (!turns.empty() && turns.back().role == Role::kAssistant) {
    unfinished = std::move(turns.back().text);
    turns.pop_back();
  }
  Dialogue marked = turns;
  for (size_t i = 0; i < marked.size(); ++i) marked[i].text = Marker(i);
  PLUMBLINE_ASSIGN(const std::string rendered, Render(marked));
  PLUMBLINE_ASSIGN(Prompt prompt, SplitAtMarkers(rendered, turns));

  // A template that trims messages trims no marker: do it here, where it would have.
  PLUMBLINE_ASSIGN(const std::string plain, Render(turns));
  if (plain != PromptText(prompt)) {
    for (PromptPiece& piece : prompt) {
      if (!piece.special) piece.text = std::string(Trimmed(piece.text));
    }
  }
  if (!unfinished.empty()) prompt.push_back({std::move(unfinished), false});
  return prompt;
}

}  // namespace plumbline::llama
