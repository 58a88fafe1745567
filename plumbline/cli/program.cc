#include "plumbline/cli/program.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <vector>

#include "plumbline/cli/bench.h"
#include "plumbline/cli/check.h"
#include "plumbline/cli/command.h"
#include "plumbline/cli/compare.h"
#include "plumbline/cli/generate.h"
#include "plumbline/cli/help.h"
#include "plumbline/cli/models.h"
#include "plumbline/cli/version.h"
#include "plumbline/core/posix_file.h"

namespace plumbline {
namespace {

constexpr const char* kExamples = R"(Start here:
  plumbline models fetch
  plumbline generate "Why is the sky blue?"
  plumbline generate --compare sample,rain "How do I deal with an angry neighbour?"

plumbline COMMAND --help explains a command with examples.)";

int Explain(const Error& error) {
  fmt::print(stderr, "plumbline: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  {}\n", error.hint);
  return ExitCodeOf(error.code);
}

// What was printed may not have arrived: a full disk shows only now.
int Flush(int exit_code) {
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed || exit_code != 0) return exit_code;
  return Explain(FileError("write", "standard output", errno));
}

// The deepest subcommand that was given decides; a parent's own action comes last in the list.
const Command* FindGiven(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (command.app->parsed()) return &command;
  }
  return nullptr;
}

int RunParsed(const CLI::App& program, const std::vector<Command>& commands) {
  const Command* command = FindGiven(commands);
  if (!command) {
    const Status nothing_left = CheckNothingLeft(program);
    if (!nothing_left) return Explain(nothing_left.error());
    fmt::print("{}", program.help());
    return ExitCodeOf(ErrorCode::kInvalidArgument);
  }
  Status status = CheckNothingLeft(*command->app);
  if (status) status = command->run();
  return status ? 0 : Explain(status.error());
}

}  // namespace

CLI::App* AddSubcommand(CLI::App& parent, const std::string& name, const std::string& description,
                        const std::string& examples) {
  CLI::App* app = parent.add_subcommand(name, description);
  app->formatter(std::make_shared<HelpFormatter>());
  app->allow_extras();
  app->footer(examples);
  app->set_help_flag("-h,--help", "Print this help and exit");
  return app;
}

int RunProgram(int argc, char** argv) {
  // A file that may not grow further is an error to report, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App program("Plumbline: inference-time alignment of language models", "plumbline");
  program.formatter(std::make_shared<HelpFormatter>());
  program.allow_extras();
  program.footer(kExamples);
  program.set_help_flag("-h,--help", "Print this help and exit");
  program.set_version_flag("--version", VersionText(), "Print the version and exit");
  std::vector<Command> commands = {AddGenerate(program)};
  for (Command& command : AddModels(program)) commands.push_back(std::move(command));
  commands.push_back(AddCheck(program));
  commands.push_back(AddCompare(program));
  commands.push_back(AddBench(program));
  commands.push_back(AddVersion(program));
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return Flush(program.exit(help_or_version));
  } catch (const CLI::ParseError& error) {
    const Error explained{ErrorCode::kInvalidArgument, error.what(), "see plumbline --help"};
    return Explain(explained);
  }
  return Flush(RunParsed(program, commands));
}

}  // namespace plumbline
