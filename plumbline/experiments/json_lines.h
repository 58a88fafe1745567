// Files of one JSON value a line, as runs write them: a last line may be torn.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "plumbline/core/result.h"

namespace plumbline {

/// Calls `take` with the value of each line, in order. Returns the bytes of a torn last line, which
/// isn't taken: one without a line end, or that isn't JSON. Errors of `take` and of broken lines
/// (kInvalidInput) begin with "file:line: "; kNotFound, kIo.
Result<size_t> ForEachJsonLine(const std::string& path,
                               const std::function<Status(const nlohmann::json&)>& take);

/// The text or number at a path such as "/answer/text"; kInvalidInput names the path if there is
/// none of that type.
Result<std::string> TextAt(const nlohmann::json& object, const std::string& path);
Result<double> NumberAt(const nlohmann::json& object, const std::string& path);

}  // namespace plumbline
