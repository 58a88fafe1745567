// plumbline check: can this model judge itself?
#pragma once

#include "plumbline/cli/command.h"

namespace plumbline {

Command AddCheck(CLI::App& program);

}  // namespace plumbline
