#include "plumbline/cli/help.h"

#include "plumbline/cli/terminal.h"
#include "plumbline/core/text.h"

namespace plumbline {
namespace {

constexpr int kLeftColumns = 32;
constexpr int kAllColumns = 98;

std::string TwoColumns(const std::string& left, const std::string& right) {
  std::string output = "  " + left;
  const std::string margin(kLeftColumns, ' ');
  bool first = true;
  for (const std::string& line : WrapToWidth(right, kAllColumns - kLeftColumns)) {
    if (line.empty()) continue;
    const bool beside = first && output.size() + 1 < kLeftColumns;
    output += beside ? std::string(kLeftColumns - output.size(), ' ') : "\n" + margin;
    output += line;
    first = false;
  }
  return output + "\n";
}

std::vector<std::string> KnownOptions(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::vector<std::string> KnownSubcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

std::string DidYouMean(const std::string& wanted, const std::vector<std::string>& names,
                       const std::string& otherwise) {
  const std::string nearest = NearestName(wanted, names);
  return nearest.empty() ? otherwise : "did you mean " + nearest + "?";
}

std::string FullName(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent ? FullName(*parent) + " " + app.get_name() : app.get_name();
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return TwoColumns(make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option));
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return "";
  std::string text = " " + option->get_type_name();
  const std::string& value = option->get_default_str();
  if (!value.empty() && value != "[]" && value != "\"\"") text += "=" + value;
  if (option->get_expected_max() > 1 && option->get_delimiter() == 0) text += " ...";
  return text;
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  const bool first = group == get_label("Positionals") || group == get_label("Options");
  const std::string text = CLI::Formatter::make_group(std::move(group), is_positional, options);
  return first ? text : text.substr(1);  // the library puts two blank lines between groups
}

std::string HelpFormatter::make_subcommand(const CLI::App* sub) const {
  return TwoColumns(sub->get_name(), sub->get_description());
}

Status CheckNothingLeft(const CLI::App& app) {
  const std::vector<std::string> left = app.remaining();
  if (left.empty()) return {};
  const std::string help = "see " + FullName(app) + " --help";
  for (const std::string& argument : left) {
    if (argument.size() < 2 || argument[0] != '-' || argument == "--") continue;
    const std::string name = argument.substr(0, argument.find('='));
    return Fail(ErrorCode::kInvalidArgument, "unknown option " + name,
                DidYouMean(name, KnownOptions(app), help));
  }
  if (const std::vector<std::string> subs = KnownSubcommands(app); !subs.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "unknown command '" + left[0] + "'",
                DidYouMean(left[0], subs, help));
  }
  return Fail(ErrorCode::kInvalidArgument, "unexpected argument '" + left[0] + "'",
              "put a text of several words in quotes; " + help);
}

CLI::Validator OneOf(std::vector<std::string> words) {
  const auto check = [words](const std::string& given) -> std::string {
    std::string known;
    for (const std::string& word : words) {
      if (word == given) return "";
      known += (known.empty() ? "" : ", ") + word;
    }
    return "unknown value '" + given + "' (" + DidYouMean(given, words, "known: " + known) + ")";
  };
  return CLI::Validator(check, "");
}

}  // namespace plumbline
