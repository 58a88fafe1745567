// The file that a run writes its results to: JSONL, only ever appended to, so that a run that is
// killed at any instant can go on where it stopped.
//
// Line 1 is a header {"schema":"plumbline.run/1","settings":{...}}; every other line is one
// result, an object with a text field "key". docs/files.md describes it for users.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>

#include "plumbline/core/posix_file.h"
#include "plumbline/core/result.h"

namespace plumbline {

/// An open results file. One process at a time may hold it. Not thread-safe.
class RunStore {
 public:
  /// Opens or creates the file, locks it, cuts off a torn last line, and reads which results it
  /// holds. `settings` is an object of what determines the results.
  ///
  /// kInvalidArgument if the file was written with other settings (the error names which), or
  /// isn't a results file; kInvalidInput if a line other than the last is broken; kExhausted if
  /// another process holds it; kNotFound, kIo. The file is changed only when all is well.
  ///
  /// A path that isn't a regular file (a pipe, a device) is only written to.
  static Result<RunStore> Open(const std::string& path, const nlohmann::json& settings);

  /// Whether the file holds a result with this key.
  bool Contains(const std::string& key) const { return keys_.contains(key); }
  size_t size() const { return keys_.size(); }

  /// Bytes of a torn last line that Open cut off; 0 if there was none.
  size_t torn_bytes() const { return torn_bytes_; }

  /// Appends one result and returns when it is on disk. `result` has a text field "key" that the
  /// file doesn't hold yet. When the disk is full (kIo) the file is left as it was before.
  Status Append(const nlohmann::ordered_json& result);

 private:
  RunStore() = default;
  Status Load(const nlohmann::json& settings);
  Status TakeHeader(const std::string& line, const nlohmann::json& settings);
  Status TakeResult(const nlohmann::json& result, size_t line_number);
  Status WriteLine(const std::string& line);
  Status CutTo(size_t bytes);

  std::string path_;
  FileDescriptor file_;
  bool regular_ = false;
  size_t size_bytes_ = 0;  // of whole lines
  size_t torn_bytes_ = 0;
  std::unordered_set<std::string> keys_;
};

}  // namespace plumbline
