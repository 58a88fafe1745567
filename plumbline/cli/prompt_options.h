// The flags that say what to answer: one prompt, a dialogue, or a file of prompts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/core/result.h"
#include "plumbline/data/prompts.h"

namespace plumbline {

struct PromptOptions {
  std::optional<std::string> prompt;  ///< "-": standard input, whole.
  std::string chat;                   ///< A JSON file: {"messages": [...]} or the list alone.
  std::vector<std::string> turns;     ///< User and assistant in turn.
  std::string system;
  std::string input;  ///< A file of prompts.
  std::string format = "auto";
  std::string column;
  size_t skip = 0;
  size_t limit = 0;  ///< 0: all.

  bool from_file() const { return !input.empty(); }
};

void AddPromptOptions(CLI::App& app, PromptOptions& options);

/// The prompts, at least one, all valid. kInvalidArgument if none or several kinds are given.
Result<std::vector<PromptRecord>> CollectPrompts(const PromptOptions& options);

}  // namespace plumbline
