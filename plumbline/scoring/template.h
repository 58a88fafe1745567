// What the model is asked when it judges a reply: the wording, read from a small text file with
// named parts. The format is documented in docs/templates.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/chat.h"

namespace plumbline {

/// A dialogue with the verdict that is right for its last reply; shown to the model beforehand.
struct WorkedExample {
  Dialogue dialogue;  ///< Ends with the assistant's reply.
  bool good = false;
};

/// What the model says to choose an option.
enum class OptionLabels {
  kWords,    ///< The option's own wording: " good" or " bad".
  kLetters,  ///< "A" or "B", by position.
};

/// How the evaluation prompt is written.
enum class PromptForm {
  kAuto,   ///< The model's chat template if it has one, else plain text.
  kPlain,  ///< Plain text, also for chat models.
  kChat,   ///< The chat template; worked examples are earlier turns. An error without one.
};

/// One wording of one question. In `instruction` and `question`, `{first}` and `{second}` stand for
/// the options in the order shown ("A) harmful" with letters).
struct EvaluationTemplate {
  std::string name;       ///< "harmless".
  std::string variant;    ///< "" for the file's default, else the name of its [variant].
  std::string criterion;  ///< Which labelled set it is checked on; the name, unless it says other.
  std::string instruction;
  std::vector<WorkedExample> examples;
  std::string question;  ///< Follows every reply; may be empty.
  std::string good;      ///< Wording of the option that is right for a good reply.
  std::string bad;
  std::string answer_prefix;  ///< What the judge's answer begins with: "Verdict:".
  std::string user_name = "User";
  std::string assistant_name = "Assistant";
  OptionLabels labels = OptionLabels::kWords;
  PromptForm form = PromptForm::kAuto;

  /// Whether `instruction` names the options, so that each order has its own fixed part: endings
  /// are short, but a reply is read twice. Otherwise `question` names them after the reply.
  bool NamesOptionsFirst() const { return instruction.find("{first}") != std::string::npos; }

  /// "harmless", or "harmless:letters" for a variant: what --align-to takes.
  std::string Spec() const { return variant.empty() ? name : name + ":" + variant; }
};

/// Reads a template file's text: its default and then its variants, in the order of the file.
/// `source` names it in errors: "file.tmpl:12: unknown part 'instrction'; did you mean
/// 'instruction'?" (kInvalidInput).
Result<std::vector<EvaluationTemplate>> ParseTemplates(std::string_view text,
                                                       std::string_view source);

/// The names of the templates in the program, in the order in which help lists them.
const std::vector<std::string>& BuiltInTemplateNames();

/// The default and the variants of a template: the name of a built-in one, or the path of a file.
/// kNotFound if it is neither, naming the nearest built-in one.
Result<std::vector<EvaluationTemplate>> LoadTemplates(const std::string& name_or_path);

/// One template: "NAME", "FILE", "NAME:VARIANT" or "FILE:VARIANT".
Result<EvaluationTemplate> LoadTemplate(const std::string& spec);

}  // namespace plumbline
