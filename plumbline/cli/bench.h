// plumbline bench: how fast this build is on this machine.
#pragma once

#include "plumbline/cli/command.h"

namespace plumbline {

Command AddBench(CLI::App& program);

}  // namespace plumbline
