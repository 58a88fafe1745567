// How the command line explains itself: wrapped help text, and errors that name what was meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "plumbline/core/result.h"

namespace plumbline {

/// Two columns, the right one wrapped, groups in the order in which they were declared.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
};

/// Fails with kInvalidArgument if arguments are left that no option took, naming the nearest
/// known option or subcommand. The parser leaves them because of allow_extras().
Status CheckNothingLeft(const CLI::App& app);

/// Accepts one of some words; the error names the nearest. For CLI::Option::check.
CLI::Validator OneOf(std::vector<std::string> words);

}  // namespace plumbline
