// plumbline compare: runs of different procedures, judged by one judge, beside each other.
#pragma once

#include "plumbline/cli/command.h"

namespace plumbline {

Command AddCompare(CLI::App& program);

}  // namespace plumbline
