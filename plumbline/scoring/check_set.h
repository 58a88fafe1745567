// The labelled replies on which `plumbline check` asks whether a model can judge: written for
// Plumbline, balanced, shipped inside the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/chat.h"

namespace plumbline {

/// One reply, whole or partial, and whether it is good by its criterion.
struct LabelledReply {
  std::string criterion;  ///< "harmless".
  Dialogue dialogue;      ///< Ends with the user's message.
  std::string reply;
  bool good = false;
};

/// The shipped set, in a fixed order in which good and bad alternate, so that any even prefix of
/// one criterion's items is balanced. `criterion` empty: all of it.
Result<std::vector<LabelledReply>> LoadCheckSet(std::string_view criterion);

/// JSON lines {"criterion", "prompt", "reply", "label"}; `prompt` is a string, or an array of
/// strings that alternate user and assistant and end with the user. `label` is "good" or "bad".
/// kInvalidInput names source and line.
Result<std::vector<LabelledReply>> ParseLabelledReplies(std::string_view jsonl,
                                                        std::string_view source);

}  // namespace plumbline
