// The chat template inside a GGUF, Jinja included, through llama.cpp's common library.
#pragma once

#include <memory>
#include <string>

#include "plumbline/model/chat.h"

struct llama_model;

namespace plumbline::llama {

/// Formats dialogues as one model wants them. Immutable; safe from any thread.
class ChatTemplate {
 public:
  /// The model must outlive this.
  explicit ChatTemplate(const llama_model* model);
  ~ChatTemplate();
  ChatTemplate(const ChatTemplate&) = delete;
  ChatTemplate& operator=(const ChatTemplate&) = delete;

  /// Whether the model brought a template of its own that can be used.
  bool exists() const { return impl_ != nullptr; }

  /// The dialogue up to where the assistant speaks, or through the assistant's unfinished last
  /// message. What the messages say is in plain pieces, so it can't forge control tokens; a
  /// template that rewrites a message (other than trimming it) makes that kInvalidInput.
  Result<Prompt> Format(const Dialogue& dialogue) const;

 private:
  struct Impl;
  Result<std::string> Render(const Dialogue& dialogue) const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::llama
