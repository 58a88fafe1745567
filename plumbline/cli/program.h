// The command line program.
#pragma once

namespace plumbline {

/// Reads the command line, runs the subcommand, explains failures on standard error, and returns
/// the exit code (docs/cli.md lists them).
int RunProgram(int argc, char** argv);

}  // namespace plumbline
