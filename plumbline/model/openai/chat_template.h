// The server's own chat template, applied by the server (llama-server's POST /apply-template).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "plumbline/core/result.h"
#include "plumbline/model/chat.h"

namespace plumbline::openai {

/// Writes dialogues by the template and tells apart what the template wrote from what people did,
/// so that a user's "<|im_end|>" stays text. Remembers what it has written. Thread-safe.
class ChatTemplate {
 public:
  /// Sends a body to /apply-template and gives the answer's body; blocks.
  using Apply = std::function<Result<std::string>(std::string body)>;

  ChatTemplate(Apply apply, std::string where)
      : apply_(std::move(apply)), where_(std::move(where)) {}

  /// Pieces in order: special ones by the template, others as in the dialogue. If the template
  /// changes messages otherwise than by trimming, so that the two can't be told apart, a dialogue
  /// with '<' or '[' in a message is refused (kUnsupported) and any other is one special piece.
  /// A dialogue that ends with an assistant's message ends after that message's text.
  Result<Prompt> Format(const Dialogue& dialogue) const;

 private:
  Result<std::string> Render(const Dialogue& dialogue) const;

  const Apply apply_;
  const std::string where_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> rendered_;  // request body -> text; guarded by mutex_
};

}  // namespace plumbline::openai
