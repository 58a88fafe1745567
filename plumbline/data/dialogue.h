// Who said what, in order: the form that every reader of prompts gives and every model reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"

namespace plumbline {

enum class Role { kSystem, kUser, kAssistant };

std::string_view RoleName(Role role);           ///< "system", "user", "assistant".
Result<Role> ParseRole(std::string_view name);  ///< kInvalidInput for anything else.

struct Message {
  Role role = Role::kUser;
  std::string text;  ///< UTF-8.
  friend bool operator==(const Message&, const Message&) = default;
};

/// Messages in order; a system message, if any, comes first. One that ends with an assistant's
/// message asks the model to go on with that message.
using Dialogue = std::vector<Message>;

/// Fails with kInvalidInput, saying why, unless the dialogue has at least one non-empty message,
/// system messages come first only, and all text is valid UTF-8.
Status ValidateDialogue(const Dialogue& dialogue);

}  // namespace plumbline
