#include "plumbline/core/posix_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace plumbline {
namespace {

std::string HintFor(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another disk";
    case EFBIG:
      return "the file reached the largest size allowed here (see ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions of the file and its folder";
    case ENOENT:
      return "check the path";
    case EISDIR:
      return "give the name of a file, not of a folder";
    default:
      return "";
  }
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error FileError(std::string_view action, const std::string& path, int error) {
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  const std::string reason = std::generic_category().message(error);
  return {code, "cannot " + std::string(action) + " " + path + ": " + reason, HintFor(error)};
}

Result<FileDescriptor> OpenFile(const std::string& path, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return tl::unexpected(FileError("open", path, errno));
  return FileDescriptor(fd);
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected(FileError("write", path, errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<std::string> ReadWholeFile(const std::string& path) {
  PLUMBLINE_ASSIGN(const FileDescriptor file, OpenFile(path, O_RDONLY));
  std::string content;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(FileError("read", path, errno));
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace plumbline
