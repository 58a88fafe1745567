#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

template <typename Json>
std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What went wrong, without the library's own prefix and position.
std::string ReasonOf(const nlohmann::json::exception& error) {
  std::string reason = error.what();
  if (const size_t at = reason.find(": "); at != std::string::npos) reason.erase(0, at + 2);
  return reason;
}

}  // namespace

Result<nlohmann::json> ParseJson(std::string_view text) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return Fail(ErrorCode::kInvalidInput,
                "invalid JSON at column " + std::to_string(error.byte) + ": " + ReasonOf(error));
  } catch (const nlohmann::json::out_of_range& error) {  // a number that no double holds
    return Fail(ErrorCode::kInvalidInput, "invalid JSON: " + ReasonOf(error));
  }
}

std::string JsonLine(const nlohmann::json& value) { return Dump(value); }
std::string JsonLine(const nlohmann::ordered_json& value) { return Dump(value); }

}  // namespace plumbline
