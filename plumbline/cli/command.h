// What a subcommand is to the program: declared options, and something to run.
#pragma once

#include <functional>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/core/result.h"

namespace plumbline {

struct Command {
  CLI::App* app = nullptr;      ///< Tells whether this subcommand was given.
  std::function<Status()> run;  ///< After the command line was read.
};

/// A subcommand with the program's conventions: wrapped help, `examples` under it, and leftover
/// arguments kept for CheckNothingLeft. `group` puts it under a heading of the parent's help.
CLI::App* AddSubcommand(CLI::App& parent, const std::string& name, const std::string& description,
                        const std::string& examples);

}  // namespace plumbline
