#include "plumbline/data/dialogue.h"

#include "plumbline/core/text.h"

namespace plumbline {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "user";
}

Result<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant}) {
    if (name == RoleName(role)) return role;
  }
  return Fail(ErrorCode::kInvalidInput, "unknown role '" + std::string(name) + "'",
              "use system, user or assistant");
}

Status ValidateDialogue(const Dialogue& dialogue) {
  bool any_text = false;
  for (size_t i = 0; i < dialogue.size(); ++i) {
    const Message& message = dialogue[i];
    if (message.role == Role::kSystem && i > 0) {
      return Fail(ErrorCode::kInvalidInput, "a system message must come first");
    }
    if (!IsValidUtf8(message.text)) {
      return Fail(ErrorCode::kInvalidInput,
                  "the " + std::string(RoleName(message.role)) + " message isn't valid UTF-8");
    }
    any_text |= !message.text.empty() && message.role != Role::kSystem;
  }
  if (!any_text) return Fail(ErrorCode::kInvalidInput, "the prompt is empty");
  return {};
}

}  // namespace plumbline
