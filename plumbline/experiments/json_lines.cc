#include "plumbline/experiments/json_lines.h"

#include <string_view>

#include "plumbline/core/posix_file.h"
#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

using nlohmann::json;

tl::unexpected<Error> At(const std::string& path, size_t line, const Error& error) {
  return Fail(error.code, path + ":" + std::to_string(line) + ": " + error.message, error.hint);
}

// Null if there is nothing there.
const json* Find(const json& object, const std::string& path) {
  const json::json_pointer pointer(path);
  return object.contains(pointer) ? &object.at(pointer) : nullptr;
}

}  // namespace

Result<size_t> ForEachJsonLine(const std::string& path,
                               const std::function<Status(const json&)>& take) {
  PLUMBLINE_ASSIGN(const std::string content, ReadWholeFile(path));
  size_t begin = 0;
  for (size_t number = 1; begin < content.size(); ++number) {
    const size_t end = content.find('\n', begin);
    if (end == std::string::npos) break;  // torn: the line end is written last
    const Result<json> value = ParseJson(std::string_view(content).substr(begin, end - begin));
    if (!value && end + 1 == content.size()) break;
    if (!value) return At(path, number, value.error());
    const Status taken = take(*value);
    if (!taken) return At(path, number, taken.error());
    begin = end + 1;
  }
  return content.size() - begin;
}

Result<std::string> TextAt(const json& object, const std::string& path) {
  const json* value = Find(object, path);
  if (value != nullptr && value->is_string()) return value->get<std::string>();
  return Fail(ErrorCode::kInvalidInput, "field " + path + " is missing or isn't text");
}

Result<double> NumberAt(const json& object, const std::string& path) {
  const json* value = Find(object, path);
  if (value != nullptr && value->is_number()) return value->get<double>();
  return Fail(ErrorCode::kInvalidInput, "field " + path + " is missing or isn't a number");
}

}  // namespace plumbline
