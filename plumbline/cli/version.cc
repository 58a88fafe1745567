#include "plumbline/cli/version.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace plumbline {

std::string VersionText() {
  return fmt::format("plumbline {} ({} {})", PLUMBLINE_VERSION, PLUMBLINE_COMPILER,
                     PLUMBLINE_BUILD_TYPE);
}

Command AddVersion(CLI::App& program) {
  CLI::App* app = AddSubcommand(program, "version", "Print the version", "");
  return {app, [] {
            fmt::print("{}\n", VersionText());
            return Status();
          }};
}

}  // namespace plumbline
