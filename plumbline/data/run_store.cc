#include "plumbline/data/run_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "plumbline/core/atomic_file.h"
#include "plumbline/core/check.h"
#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::string_view kSchema = "plumbline.run/1";

std::string HeaderLine(const json& settings) {
  nlohmann::ordered_json header;
  header["schema"] = kSchema;
  header["settings"] = settings;
  return JsonLine(header);
}

// "temperature (0.7 there, 1.0 now), seed (...)"; empty if nothing differs.
std::string Differences(const json& there, const json& now) {
  std::vector<std::string> names;
  for (const auto& [name, value] : there.items()) names.push_back(name);
  for (const auto& [name, value] : now.items()) {
    if (!there.contains(name)) names.push_back(name);
  }
  std::string differences;
  for (const std::string& name : names) {
    const json old_value = there.contains(name) ? there.at(name) : json();
    const json new_value = now.contains(name) ? now.at(name) : json();
    if (old_value == new_value) continue;
    if (!differences.empty()) differences += ", ";
    differences += name + " (" + JsonLine(old_value) + " there, " + JsonLine(new_value) + " now)";
  }
  return differences;
}

Status Lock(const FileDescriptor& file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return tl::unexpected(FileError("lock", path, errno));
  return Fail(ErrorCode::kExhausted, path + " is in use by another run",
              "wait until it ends, or give another --output");
}

}  // namespace

Result<RunStore> RunStore::Open(const std::string& path, const json& settings) {
  RunStore store;
  store.path_ = path;
  struct stat status;
  const bool existed = ::stat(path.c_str(), &status) == 0;
  store.regular_ = !existed || S_ISREG(status.st_mode);
  const int access = store.regular_ ? O_RDWR : O_WRONLY;
  PLUMBLINE_ASSIGN(store.file_, OpenFile(path, access | O_CREAT | O_APPEND));
  if (store.regular_) {
    PLUMBLINE_TRY(Lock(store.file_, path));
    PLUMBLINE_TRY(store.Load(settings));
  }
  if (store.size_bytes_ == 0) {
    PLUMBLINE_TRY(store.WriteLine(HeaderLine(settings)));
    if (store.regular_) PLUMBLINE_TRY(SyncFolderOf(path));
  }
  return store;
}

Status RunStore::Load(const json& settings) {
  PLUMBLINE_ASSIGN(const std::string content, ReadWholeFile(path_));
  size_t line_number = 0;
  while (size_bytes_ < content.size()) {
    const size_t end = content.find('\n', size_bytes_);
    if (end == std::string::npos) break;  // torn: the line end is written last
    const std::string line = content.substr(size_bytes_, end - size_bytes_);
    const bool last = end + 1 == content.size();
    if (++line_number == 1) {
      PLUMBLINE_TRY(TakeHeader(line, settings));
    } else {
      const Result<json> result = ParseJson(line);
      // A machine that lost power can leave a last line of the right length with wrong bytes.
      if (!result && last) break;
      if (!result) {
        return Fail(ErrorCode::kInvalidInput,
                    path_ + ":" + std::to_string(line_number) + ": " + result.error().message,
                    "only a last line can be torn: restore the file or remove that line");
      }
      PLUMBLINE_TRY(TakeResult(*result, line_number));
    }
    size_bytes_ = end + 1;
  }
  torn_bytes_ = content.size() - size_bytes_;
  // A file that doesn't begin like one of ours isn't ours to cut.
  const std::string ours = R"({"schema":"plumbline.run)";
  if (size_bytes_ == 0 && content.substr(0, ours.size()) != ours.substr(0, content.size())) {
    return TakeHeader(content, settings);
  }
  return torn_bytes_ > 0 ? CutTo(size_bytes_) : Status();
}

Status RunStore::TakeHeader(const std::string& line, const json& settings) {
  const Result<json> header = ParseJson(line);
  const bool ours = header && header->is_object() && header->value("schema", json()) == kSchema &&
                    header->value("settings", json()).is_object();
  if (!ours) {
    return Fail(
        ErrorCode::kInvalidArgument,
        path_ + " exists and isn't a results file of this version (" + std::string(kSchema) + ")",
        "give another --output");
  }
  const std::string differences = Differences(header->at("settings"), settings);
  if (differences.empty()) return {};
  return Fail(ErrorCode::kInvalidArgument, path_ + " was begun with other settings: " + differences,
              "use the same settings to go on with it, or give another --output");
}

Status RunStore::TakeResult(const json& result, size_t line_number) {
  if (!result.is_object() || !result.contains("key") || !result.at("key").is_string()) {
    return Fail(ErrorCode::kInvalidInput,
                path_ + ":" + std::to_string(line_number) + ": the result has no text field 'key'",
                "restore the file or remove that line");
  }
  keys_.insert(result.at("key").get<std::string>());
  return {};
}

Status RunStore::Append(const nlohmann::ordered_json& result) {
  const std::string key = result.at("key").get<std::string>();
  PLUMBLINE_CHECK(!keys_.contains(key));
  PLUMBLINE_TRY(WriteLine(JsonLine(result)));
  keys_.insert(key);
  return {};
}

Status RunStore::WriteLine(const std::string& line) {
  Status written = WriteAll(file_.get(), line + "\n", path_);
  if (written && regular_ && ::fdatasync(file_.get()) != 0) {
    written = tl::unexpected(FileError("write", path_, errno));
  }
  if (!written) {
    // Best effort: if even this fails, the next run finds a torn line and cuts it.
    if (regular_) (void)CutTo(size_bytes_);
    return written;
  }
  size_bytes_ += line.size() + 1;
  return {};
}

Status RunStore::CutTo(size_t bytes) {
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0 || ::fsync(file_.get()) != 0) {
    return tl::unexpected(FileError("shorten", path_, errno));
  }
  return {};
}

}  // namespace plumbline
