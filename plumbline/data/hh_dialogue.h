// The dialogue layout of Anthropic's HH data: "\n\nHuman: ...\n\nAssistant: ...".
#pragma once

#include <string>
#include <string_view>

#include "plumbline/core/result.h"
#include "plumbline/data/dialogue.h"

namespace plumbline {

/// A dialogue and the reply that ends it.
struct AnsweredDialogue {
  Dialogue prompt;    ///< Up to the last assistant turn; ends with a human turn.
  std::string reply;  ///< The last assistant turn.
};

/// Splits a dialogue in the HH layout. Texts are trimmed of blanks at both ends. kInvalidInput,
/// saying what is missing, unless it has a human turn and ends with an assistant's.
Result<AnsweredDialogue> ParseHhDialogue(std::string_view text);

}  // namespace plumbline
