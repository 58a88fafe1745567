// Lines of a text file, plain or gzip-compressed, with their numbers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plumbline/core/result.h"

namespace plumbline {

/// Reads UTF-8 text line by line. Not thread-safe.
class LineReader {
 public:
  /// Opens a file; "-" is standard input. gzip is recognised by content. kNotFound, kIo.
  static Result<LineReader> Open(const std::string& path);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  /// The next line without its line end ("\n" or "\r\n") and, on line 1, without a byte-order
  /// mark; nullopt at the end of the file. kInvalidInput if the line isn't valid UTF-8, is longer
  /// than 64 MiB, or the gzip stream is broken or ends early; kIo.
  Result<std::optional<std::string>> Next();

  /// The number of the line that Next returned last, from 1; 0 before the first.
  int line() const;

  /// "file:line" for errors about the line that Next returned last.
  std::string Where() const { return Where(line()); }
  /// The same for another line.
  std::string Where(int line) const;

 private:
  struct State;
  explicit LineReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plumbline
