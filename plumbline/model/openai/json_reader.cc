#include "plumbline/model/openai/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumbline/core/text.h"

namespace plumbline::openai {
namespace {

using nlohmann::json;

/// Rounding in the server may lift a probability a little over one.
constexpr double kLogProbSlack = 1e-3;

std::string Beginning(std::string_view body) {
  std::string text = ToValidUtf8(body.substr(0, CompleteUtf8Prefix(body.substr(0, 60))));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

tl::unexpected<Error> JsonReader::Bad(const std::string& what) const {
  return Fail(ErrorCode::kRemote, where_ + ": the answer makes no sense: " + what,
              "check that the URL is that of an OpenAI-compatible server (vLLM, SGLang, "
              "llama-server) and look into its log");
}

Result<json> JsonReader::Parse(std::string_view body) const {
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) {
    return Bad("it is not JSON, or cut off (" + std::to_string(body.size()) +
               " bytes that begin with '" + Beginning(body) + "')");
  }
  if (!parsed.is_object()) return Bad("it is not a JSON object");
  return parsed;
}

Result<const json*> JsonReader::Get(const json& object, const char* field) const {
  if (!object.is_object()) return Bad(std::string("no object holds '") + field + "'");
  const auto found = object.find(field);
  if (found == object.end()) return Bad(std::string("the field '") + field + "' is missing");
  return &*found;
}

Result<const json*> JsonReader::GetArray(const json& object, const char* field) const {
  PLUMBLINE_ASSIGN(const json* value, Get(object, field));
  if (!value->is_array()) return Bad(std::string("'") + field + "' is not a list");
  return value;
}

Result<std::string> JsonReader::GetString(const json& object, const char* field) const {
  PLUMBLINE_ASSIGN(const json* value, Get(object, field));
  if (!value->is_string()) return Bad(std::string("'") + field + "' is not a string");
  return value->get<std::string>();
}

Result<double> JsonReader::Number(const json& value, const char* name) const {
  if (!value.is_number()) return Bad(std::string("'") + name + "' is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) return Bad(std::string("'") + name + "' is not finite");
  return number;
}

Result<double> JsonReader::LogProb(const json& value) const {
  PLUMBLINE_ASSIGN(const double number, Number(value, "logprob"));
  if (number > kLogProbSlack) {
    return Bad("'logprob' is above zero (" + std::to_string(number) + ")");
  }
  return std::min(number, 0.0);
}

Result<int> JsonReader::Count(const json& value, const char* name) const {
  PLUMBLINE_ASSIGN(const double number, Number(value, name));
  if (number < 0 || number > std::numeric_limits<int>::max() || number != std::floor(number)) {
    return Bad(std::string("'") + name + "' is not a count");
  }
  return static_cast<int>(number);
}

}  // namespace plumbline::openai
