#include "plumbline/core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "plumbline/core/posix_file.h"

namespace plumbline {
namespace {

bool IsSpecialFile(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

Status WriteDirectly(const std::string& path, std::string_view content) {
  PLUMBLINE_ASSIGN(const FileDescriptor file, OpenFile(path, O_WRONLY));
  return WriteAll(file.get(), content, path);
}

Status WriteAndSync(const std::string& path, std::string_view content) {
  PLUMBLINE_ASSIGN(const FileDescriptor file, OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC));
  PLUMBLINE_TRY(WriteAll(file.get(), content, path));
  if (::fsync(file.get()) != 0) return tl::unexpected(FileError("write", path, errno));
  return {};
}

}  // namespace

Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  PLUMBLINE_ASSIGN(const FileDescriptor file, OpenFile(folder, O_RDONLY | O_DIRECTORY));
  // Some file systems can't sync a folder and say EINVAL: nothing more can be done there.
  if (::fsync(file.get()) != 0 && errno != EINVAL) {
    return tl::unexpected(FileError("sync", folder, errno));
  }
  return {};
}

Status WriteFileAtomically(const std::string& path, std::string_view content) {
  if (IsSpecialFile(path)) return WriteDirectly(path, content);
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  if (Status written = WriteAndSync(temporary, content); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return tl::unexpected(FileError("replace", path, error));
  }
  return SyncFolderOf(path);
}

}  // namespace plumbline
