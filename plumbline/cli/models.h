// plumbline models: the model files on this machine.
#pragma once

#include <vector>

#include "plumbline/cli/command.h"

namespace plumbline {

/// models, models list, models fetch, models verify, models inspect. The parent comes last: it
/// runs only if none of the others was given.
std::vector<Command> AddModels(CLI::App& program);

}  // namespace plumbline
