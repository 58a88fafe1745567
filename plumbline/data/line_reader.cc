#include "plumbline/data/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>

#include "plumbline/core/posix_file.h"
#include "plumbline/core/text.h"

namespace plumbline {
namespace {

constexpr size_t kMaxLineBytes = size_t{64} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

}  // namespace

struct LineReader::State {
  std::string name;  // for errors
  std::unique_ptr<gzFile_s, CloseGz> file;
  std::array<char, 1 << 16> buffer;
  size_t at = 0;   // next unread byte of buffer
  size_t end = 0;  // bytes in buffer
  int line = 0;
  bool at_end = false;

  Status Fill();
  Status TakeRestOfLine(std::string& text, bool& complete);
};

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::Open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->name = path == "-" ? "standard input" : path;
  const int fd = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(FileError("open", state->name, errno));
  struct stat status;
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(fd);
    return tl::unexpected(FileError("read", state->name, EISDIR));
  }
  state->file.reset(gzdopen(fd, "rb"));
  if (!state->file) {
    ::close(fd);
    return tl::unexpected(FileError("read", state->name, ENOMEM));
  }
  return LineReader(std::move(state));
}

int LineReader::line() const { return state_->line; }

std::string LineReader::Where(int line) const { return state_->name + ":" + std::to_string(line); }

Status LineReader::State::Fill() {
  const int count = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
  int error = Z_OK;
  const char* reason = gzerror(file.get(), &error);
  if (error == Z_ERRNO) return tl::unexpected(FileError("read", name, errno));
  if (count < 0 || error == Z_DATA_ERROR) {
    return Fail(ErrorCode::kInvalidInput,
                name + ":" + std::to_string(line + 1) + ": broken gzip data: " + reason,
                "fetch the file again, or check it with gzip -t");
  }
  at = 0;
  end = static_cast<size_t>(count);
  at_end = count == 0;
  if (at_end && error == Z_BUF_ERROR) {
    return Fail(ErrorCode::kInvalidInput,
                name + ":" + std::to_string(line + 1) + ": the gzip data ends early",
                "the file was cut short: fetch it again");
  }
  return {};
}

Status LineReader::State::TakeRestOfLine(std::string& text, bool& complete) {
  const std::string_view available(buffer.data() + at, end - at);
  const size_t newline = available.find('\n');
  complete = newline != std::string_view::npos;
  text += available.substr(0, newline);
  at = complete ? at + newline + 1 : end;
  if (text.size() > kMaxLineBytes) {
    return Fail(ErrorCode::kInvalidInput,
                name + ":" + std::to_string(line + 1) + ": the line is longer than 64 MiB",
                "one record belongs on each line");
  }
  return {};
}

Result<std::optional<std::string>> LineReader::Next() {
  State& state = *state_;
  std::string text;
  bool complete = false;
  while (!complete && !state.at_end) {
    if (state.at == state.end) PLUMBLINE_TRY(state.Fill());
    PLUMBLINE_TRY(state.TakeRestOfLine(text, complete));
  }
  if (!complete && text.empty()) return std::optional<std::string>();
  ++state.line;
  if (text.ends_with('\r')) text.pop_back();
  if (state.line == 1 && text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (!IsValidUtf8(text)) {
    return Fail(ErrorCode::kInvalidInput, Where() + ": not valid UTF-8",
                "convert the file to UTF-8, for example with iconv");
  }
  return std::optional<std::string>(std::move(text));
}

}  // namespace plumbline
