// plumbline version.
#pragma once

#include <string>

#include "plumbline/cli/command.h"

namespace plumbline {

/// "plumbline 0.1.0 (llama.cpp ..., compiler)": one line.
std::string VersionText();

Command AddVersion(CLI::App& program);

}  // namespace plumbline
