// JSON from and to text, without exceptions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline {

/// Parses one JSON value (RFC 8259). kInvalidInput: "invalid JSON at column 12: ...".
Result<nlohmann::json> ParseJson(std::string_view text);

/// One line, with bytes that aren't UTF-8 replaced by U+FFFD.
std::string JsonLine(const nlohmann::json& value);

/// As JsonLine, keeping the order in which members were added.
std::string JsonLine(const nlohmann::ordered_json& value);

}  // namespace plumbline
