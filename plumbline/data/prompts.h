// Files of prompts: JSONL, HH pairs, CSV and plain lines, each plain or gzip-compressed.
// docs/files.md describes the formats for users.
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/data/dialogue.h"

namespace plumbline {

enum class PromptFormat {
  kAuto,   ///< By the file's name, and for JSONL by the fields of its first record.
  kJsonl,  ///< Objects with `prompt` (text) or `messages` ([{role, content}]); `id`, `system`.
  kHh,     ///< Objects with `chosen` and, perhaps, `rejected`: whole dialogues in the HH layout.
  kCsv,    ///< RFC 4180 with a header; the prompt in one named column.
  kText,   ///< One prompt a line.
};

Result<PromptFormat> ParsePromptFormat(std::string_view name);  ///< kInvalidArgument.

/// Which prompts to read, and how.
struct PromptSource {
  std::string path;  ///< "-": standard input.
  PromptFormat format = PromptFormat::kAuto;
  /// The CSV column or JSONL field with the prompt; empty: `prompt` (JSONL: or `messages`).
  std::string column;
  size_t skip = 0;                                    ///< Leave out so many records at the start.
  size_t limit = std::numeric_limits<size_t>::max();  ///< Then read at most so many.
};

/// One prompt of a file.
struct PromptRecord {
  std::string id;         ///< As the file has it; empty if it has none.
  std::string where;      ///< "prompts.jsonl:12".
  size_t index = 0;       ///< Of the record in the file, from 0.
  Dialogue dialogue;      ///< Valid (ValidateDialogue).
  std::string preferred;  ///< HH: the chosen reply.
  std::string rejected;   ///< HH: the other reply.
};

/// Reads the prompts, in the file's order. Every error names file and line: kInvalidInput for
/// malformed data, a file without prompts, and an empty prompt; kNotFound for a missing file or
/// column; kIo. Fields that aren't asked for are ignored: data sets carry many.
Result<std::vector<PromptRecord>> ReadPrompts(const PromptSource& source);

/// One prompt from a JSON object with `prompt` or `messages`, as in JSONL. kInvalidInput; the error
/// names the field, but not the place.
Result<PromptRecord> PromptFromJson(const nlohmann::json& object);

}  // namespace plumbline
