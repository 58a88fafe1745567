// The few POSIX file calls that Plumbline's writers share, with errors that name the file.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "plumbline/core/result.h"

namespace plumbline {

/// Owns a file descriptor; closes it when destroyed. Errors of close are not reported: whoever
/// needs to know that data is on disk calls fsync first.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// open(2) with close-on-exec. kNotFound if a part of the path doesn't exist, else kIo.
Result<FileDescriptor> OpenFile(const std::string& path, int flags, unsigned mode = 0666);

/// Writes every byte, however many calls it takes. kIo; a full disk says so in its hint. Some
/// bytes may have been written when it fails.
Status WriteAll(int fd, std::string_view bytes, const std::string& path);

/// The whole content of a file. kNotFound, kIo (directories included).
Result<std::string> ReadWholeFile(const std::string& path);

/// The failure of a system call: "cannot <action> <path>: <strerror>", with a hint where there is
/// one. `error` is an errno.
Error FileError(std::string_view action, const std::string& path, int error);

}  // namespace plumbline
