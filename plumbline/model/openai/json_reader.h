// Reads an answer's JSON without trust: every wrong type is an error that names the field.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline::openai {

/// The fields of one answer. `where` outlives it.
class JsonReader {
 public:
  explicit JsonReader(const std::string& where) : where_(where) {}

  /// The whole answer, which must be an object.
  Result<nlohmann::json> Parse(std::string_view body) const;

  /// The field of an object; kRemote if it is missing or `object` is none.
  Result<const nlohmann::json*> Get(const nlohmann::json& object, const char* field) const;
  Result<const nlohmann::json*> GetArray(const nlohmann::json& object, const char* field) const;
  Result<std::string> GetString(const nlohmann::json& object, const char* field) const;

  /// A finite number.
  Result<double> Number(const nlohmann::json& value, const char* name) const;
  /// A log-probability: a finite number, at most a rounding above zero; clipped to 0.
  Result<double> LogProb(const nlohmann::json& value) const;
  /// An integer that fits in 31 bits and isn't negative.
  Result<int> Count(const nlohmann::json& value, const char* name) const;

  tl::unexpected<Error> Bad(const std::string& what) const;

 private:
  const std::string& where_;
};

}  // namespace plumbline::openai
