#include "plumbline/model/openai/llama_server_process.h"

#include <arpa/inet.h>
#include <cpp-httplib/httplib.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace plumbline::openai {
namespace {

constexpr std::chrono::seconds kStartLimit{60};

/// A port that nobody listens on. Another process may take it before the server does; then the
/// server ends at once, and Start says so.
int FreePort() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(listener);
  return ntohs(address.sin_port);
}

Result<std::string> PathFromEnvironment(const char* variable, const std::string& name,
                                        const std::string& hint) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') {
    return Fail(ErrorCode::kNotFound, std::string(variable) + " is not set", hint);
  }
  const std::string path = name.empty() ? std::string(value) : std::string(value) + "/" + name;
  if (std::filesystem::exists(path)) return path;
  return Fail(ErrorCode::kNotFound, path + " does not exist", hint);
}

[[noreturn]] void BecomeServer(const std::vector<std::string>& arguments, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it ended before the line above
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(nothing, STDERR_FILENO);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<LlamaServerProcess>> LlamaServerProcess::Start(
    const std::string& model_name, std::vector<std::string> more_arguments) {
  PLUMBLINE_ASSIGN(const std::string binary,
                   PathFromEnvironment("PLUMBLINE_LLAMA_SERVER", "",
                                       "configure with -DPLUMBLINE_BUILD_PEERS=ON, which builds "
                                       "llama-server and tells the tests where it is"));
  PLUMBLINE_ASSIGN(const std::string model,
                   PathFromEnvironment("PLUMBLINE_MODEL_DIR", model_name,
                                       "fetch the default model with scripts/fetch-model.sh"));
  const int port = FreePort();
  std::vector<std::string> arguments{
      binary, "-m", model, "--host", "127.0.0.1", "--port", std::to_string(port)};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Fail(ErrorCode::kIo, "can't start a process");
  if (pid == 0) BecomeServer(arguments, parent);
  std::unique_ptr<LlamaServerProcess> server(new LlamaServerProcess(pid, port));
  PLUMBLINE_TRY(server->WaitUntilReady());
  return server;
}

Status LlamaServerProcess::WaitUntilReady() {
  httplib::Client client("127.0.0.1", port_);
  client.set_connection_timeout(std::chrono::seconds(1));
  client.set_read_timeout(std::chrono::seconds(5));
  const auto end = std::chrono::steady_clock::now() + kStartLimit;
  while (std::chrono::steady_clock::now() < end) {
    const httplib::Result health = client.Get("/health");
    if (health && health->status == 200) return {};
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return Fail(ErrorCode::kInternal, "llama-server ended while it started");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Fail(ErrorCode::kInternal, "llama-server isn't ready after a minute");
}

std::string LlamaServerProcess::Post(const std::string& path, const std::string& json) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(std::chrono::seconds(120));
  const httplib::Result answer = client.Post(path, json, "application/json");
  return answer ? answer->body : "";
}

void LlamaServerProcess::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

LlamaServerProcess::~LlamaServerProcess() { Kill(); }

}  // namespace plumbline::openai
