// The answers that `plumbline generate` wrote (docs/files.md), read back to be compared.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/data/dialogue.h"

namespace plumbline {

struct RecordedAnswer {
  /// Names the prompt by its text and by how often that text occurred before it in the run: equal
  /// for the same prompt in every run, whatever the procedure.
  std::string prompt;
  Dialogue dialogue;  ///< Up to the user's last message.
  /// What the judge reads: the answer, after what the prompt made the assistant begin with.
  std::string reply;
  double tokens = 0;       ///< Of the answer.
  double tokens_read = 0;  ///< By the model, for this answer.
  double seconds = 0;      ///< Prompts that ran at once shared the machine.
};

/// The answers of one procedure in one file.
struct AnswerRun {
  std::string name;    ///< The file's, without folder and suffix; longer where that is ambiguous.
  std::string source;  ///< The file's path.
  std::string procedure;
  std::string model;                    ///< That wrote the answers.
  nlohmann::json settings;              ///< Of the file's header; null without one.
  std::vector<RecordedAnswer> answers;  ///< At least one, by the prompt's place in its file.
};

/// Reads the files in order. A file that holds several procedures becomes several runs. A torn last
/// line is left out: that answer will be made again. kInvalidInput, naming file and line, for
/// anything that isn't an answer, and for a file without answers; kInvalidArgument if a run has no
/// prompt in common with the first; kNotFound, kIo. `paths` isn't empty.
Result<std::vector<AnswerRun>> ReadAnswerRuns(const std::vector<std::string>& paths);

}  // namespace plumbline
