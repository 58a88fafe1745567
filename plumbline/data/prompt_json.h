// One JSON object of a prompt file as a prompt. Internal to the readers in this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "plumbline/core/result.h"
#include "plumbline/data/prompts.h"

namespace plumbline::internal {

/// Whether an object looks like an HH pair rather than a prompt.
bool LooksLikeHhPair(const nlohmann::json& object);

/// A prompt from {"prompt"| "messages" | <field>, "system", "id"}. Errors carry no place.
Result<PromptRecord> PromptFromObject(const nlohmann::json& object, const std::string& field);

/// A prompt and its replies from {"chosen", "rejected", "id"}. Errors carry no place.
Result<PromptRecord> PromptFromHhPair(const nlohmann::json& object);

}  // namespace plumbline::internal
