// plumbline generate: answers prompts by a procedure.
#pragma once

#include "plumbline/cli/command.h"

namespace plumbline {

Command AddGenerate(CLI::App& program);

}  // namespace plumbline
