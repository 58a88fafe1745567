#include "plumbline/scoring/template.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "plumbline/core/text.h"
#include "plumbline/scoring/template_parts.h"

namespace plumbline {
namespace {

const std::vector<std::string> kPartNames = {
    "name", "criterion", "instruction", "example", "question", "good",         "bad",
    "user", "assistant", "form",        "labels",  "variant",  "answer-prefix"};

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(wanted, names);
  return nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?";
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Turns the parts of one file into templates.
class TemplateReader {
 public:
  explicit TemplateReader(std::string_view source) : source_(source) {}

  Result<std::vector<EvaluationTemplate>> Read(const std::vector<TemplatePart>& parts) {
    for (const TemplatePart& part : parts) PLUMBLINE_TRY(ReadPart(part));
    PLUMBLINE_TRY(Finish());
    return std::move(done_);
  }

 private:
  Status ReadPart(const TemplatePart& part) {
    last_line_ = part.lines.empty() ? part.line : part.lines.back().number;
    if (part.name == "variant") return BeginVariant(part);
    if (part.name == "example") return ReadExample(part);
    std::string* const field = TextField(part.name);
    const bool choice = part.name == "form" || part.name == "labels";
    if (field == nullptr && !choice) {
      return TemplateError(source_, part.line,
                           "unknown part " + Quoted(part.name) + DidYouMean(part.name, kPartNames),
                           "known parts: " + Listed(kPartNames));
    }
    PLUMBLINE_TRY(CheckOnceAndPlain(part));
    if (part.name == "form") return ReadForm(part);
    if (part.name == "labels") return ReadLabels(part);
    PLUMBLINE_TRY(CheckPlaceholders(part));
    *field = part.Text();
    return {};
  }

  std::string* TextField(const std::string& part) {
    const std::map<std::string, std::string*> fields = {{"name", &now_.name},
                                                        {"criterion", &now_.criterion},
                                                        {"question", &now_.question},
                                                        {"instruction", &now_.instruction},
                                                        {"good", &now_.good},
                                                        {"bad", &now_.bad},
                                                        {"user", &now_.user_name},
                                                        {"assistant", &now_.assistant_name},
                                                        {"answer-prefix", &now_.answer_prefix}};
    const auto found = fields.find(part);
    return found == fields.end() ? nullptr : found->second;
  }

  Status CheckOnceAndPlain(const TemplatePart& part) {
    if (!part.argument.empty()) {
      return TemplateError(source_, part.line, "part " + Quoted(part.name) + " takes no argument",
                           "write [" + part.name + "] and the text on the next line");
    }
    const auto [earlier, inserted] = seen_.emplace(part.name, part.line);
    if (!inserted) {
      return TemplateError(source_, part.line,
                           "part " + Quoted(part.name) + " was given in line " +
                               std::to_string(earlier->second) + " already");
    }
    const bool may_be_empty = part.name == "question" || part.name == "answer-prefix";
    const bool one_line = part.name != "instruction" && part.name != "question";
    if (part.lines.empty() && !may_be_empty) {
      return TemplateError(source_, part.line, "part " + Quoted(part.name) + " is empty");
    }
    if (one_line && part.lines.size() > 1) {
      return TemplateError(source_, part.lines[1].number,
                           "part " + Quoted(part.name) + " has one line only");
    }
    return {};
  }

  // Braces other than {first} and {second} are text, unless they look like a slip of one.
  Status CheckPlaceholders(const TemplatePart& part) {
    static const std::vector<std::string> kPlaceholders = {"first", "second"};
    const bool allowed = part.name == "instruction" || part.name == "question";
    for (const TemplateLine& line : part.lines) {
      for (size_t open = line.text.find('{'); open != std::string::npos;
           open = line.text.find('{', open + 1)) {
        const size_t close = line.text.find('}', open);
        if (close == std::string::npos) break;
        const std::string inside = line.text.substr(open + 1, close - open - 1);
        const bool known = inside == "first" || inside == "second";
        if (known && allowed) continue;
        const std::string nearest = NearestName(inside, kPlaceholders);
        if (nearest.empty()) continue;
        return TemplateError(
            source_, line.number,
            known ? "{" + inside + "} has no meaning in " + Quoted(part.name)
                  : "unknown placeholder {" + inside + "}; did you mean {" + nearest + "}?",
            "{first} and {second} stand for the options in [instruction] or "
            "[question]");
      }
    }
    return {};
  }

  Status ReadForm(const TemplatePart& part) {
    static const std::vector<std::string> kForms = {"auto", "plain", "chat"};
    PLUMBLINE_ASSIGN(const int form, ReadChoice(part, kForms));
    now_.form = static_cast<PromptForm>(form);
    return {};
  }

  Status ReadLabels(const TemplatePart& part) {
    static const std::vector<std::string> kLabels = {"words", "letters"};
    PLUMBLINE_ASSIGN(const int labels, ReadChoice(part, kLabels));
    now_.labels = static_cast<OptionLabels>(labels);
    return {};
  }

  Result<int> ReadChoice(const TemplatePart& part, const std::vector<std::string>& choices) {
    const std::string& value = part.lines.front().text;
    for (size_t i = 0; i < choices.size(); ++i) {
      if (choices[i] == value) return static_cast<int>(i);
    }
    return TemplateError(source_, part.lines.front().number,
                         "unknown value " + Quoted(value) + " of part " + Quoted(part.name) +
                             DidYouMean(value, choices),
                         "one of: " + Listed(choices));
  }

  Status ReadExample(const TemplatePart& part) {
    if (part.argument != "good" && part.argument != "bad") {
      return TemplateError(source_, part.line, "an example must say whether its reply is good",
                           "write [example good] or [example bad]");
    }
    WorkedExample example;
    example.good = part.argument == "good";
    for (const TemplateLine& line : part.lines) PLUMBLINE_TRY(ReadExampleLine(line, example));
    if (example.dialogue.empty() || example.dialogue.back().role != Role::kAssistant) {
      return TemplateError(source_, last_line_, "an example must end with the reply that is judged",
                           "a line that begins with 'Assistant:'");
    }
    // A variant's examples replace those of the default.
    if (!examples_here_) now_.examples.clear();
    examples_here_ = true;
    now_.examples.push_back(std::move(example));
    return {};
  }

  Status ReadExampleLine(const TemplateLine& line, WorkedExample& example) {
    for (const auto& [role, name] : {std::pair(Role::kUser, std::string_view("User:")),
                                     std::pair(Role::kAssistant, std::string_view("Assistant:"))}) {
      if (!line.text.starts_with(name)) continue;
      const bool due = example.dialogue.size() % 2 == (role == Role::kUser ? 0 : 1);
      if (!due) {
        return TemplateError(source_, line.number, "'User:' and 'Assistant:' must take turns",
                             "the first message is the user's");
      }
      const size_t start = line.text.find_first_not_of(' ', name.size());
      example.dialogue.push_back({role, start == std::string::npos ? "" : line.text.substr(start)});
      return {};
    }
    if (example.dialogue.empty()) {
      return TemplateError(source_, line.number, "an example must begin with 'User:'");
    }
    example.dialogue.back().text += "\n" + line.text;
    return {};
  }

  Status BeginVariant(const TemplatePart& part) {
    if (part.argument.empty() || part.argument.find(' ') != std::string::npos) {
      return TemplateError(source_, part.line, "a variant needs a name of one word",
                           "write [variant letters]");
    }
    if (!part.lines.empty()) {
      return TemplateError(source_, part.lines.front().number, "text outside a part",
                           "[variant " + part.argument + "] is followed by the parts it changes");
    }
    PLUMBLINE_TRY(Finish());
    for (const EvaluationTemplate& earlier : done_) {
      if (earlier.variant != part.argument) continue;
      return TemplateError(source_, part.line, "there are two variants " + Quoted(part.argument));
    }
    now_ = done_.front();
    now_.variant = part.argument;
    seen_ = {{"name", done_name_line_}};
    examples_here_ = false;
    return {};
  }

  // Checks what has been read as a whole and keeps it.
  Status Finish() {
    for (const char* const part : {"name", "good", "bad"}) {
      if (!TextField(part)->empty()) continue;
      return TemplateError(source_, last_line_, "part " + Quoted(part) + " is missing");
    }
    if (now_.good == now_.bad) {
      return TemplateError(source_, last_line_, "[good] and [bad] have the same wording");
    }
    const std::string& place = now_.NamesOptionsFirst() ? now_.instruction : now_.question;
    for (const char* const option : {"{first}", "{second}"}) {
      if (place.find(option) != std::string::npos) continue;
      return TemplateError(source_, last_line_,
                           std::string("the options are never named: ") + option + " is missing",
                           "name them as {first} and {second}, both in [instruction] or both in "
                           "[question]");
    }
    if (now_.criterion.empty()) now_.criterion = now_.name;
    if (done_.empty()) done_name_line_ = seen_["name"];
    done_.push_back(now_);
    return {};
  }

  std::string source_;
  EvaluationTemplate now_;           // being read
  std::map<std::string, int> seen_;  // its parts, and their lines
  bool examples_here_ = false;       // whether it has examples of its own
  int last_line_ = 1;
  int done_name_line_ = 1;
  std::vector<EvaluationTemplate> done_;
};

}  // namespace

Result<std::vector<EvaluationTemplate>> ParseTemplates(std::string_view text,
                                                       std::string_view source) {
  PLUMBLINE_ASSIGN(const std::vector<TemplatePart> parts, SplitTemplate(text, source));
  if (parts.empty()) return TemplateError(source, 1, "the template is empty");
  return TemplateReader(source).Read(parts);
}

}  // namespace plumbline
