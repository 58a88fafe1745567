// The text in which a model reads a dialogue.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/data/dialogue.h"

namespace plumbline {

/// A piece of a prompt. Special pieces may hold control tokens such as <|im_start|>; in others
/// those characters are only text, so that a user can't forge a turn.
struct PromptPiece {
  std::string text;
  bool special = false;
  friend bool operator==(const PromptPiece&, const PromptPiece&) = default;
};

using Prompt = std::vector<PromptPiece>;

/// A prompt of one plain piece.
inline Prompt PlainPrompt(std::string text) { return {PromptPiece{std::move(text), false}}; }

/// All pieces' text in a row; for remotes, logs and tests.
std::string PromptText(const Prompt& prompt);

/// How a dialogue becomes text.
struct ChatStyle {
  enum class Kind {
    kAuto,   ///< The model's own template if it has one, else kPlain.
    kPlain,  ///< "Human: ...\n\nAssistant: ..." with the names below; for base models.
  };
  Kind kind = Kind::kAuto;
  std::string user_name = "Human";
  std::string assistant_name = "Assistant";
};

/// The plain-text form. It ends where the assistant is to speak: "...\n\nAssistant:", or after the
/// text of an unfinished assistant message. Names and separators are special-free pieces.
Prompt FormatPlainChat(const Dialogue& dialogue, const ChatStyle& style);

}  // namespace plumbline
