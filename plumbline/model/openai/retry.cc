#include "plumbline/model/openai/retry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plumbline/core/text.h"

namespace plumbline::openai {
namespace {

constexpr size_t kQuotedBytes = 300;

std::string Quote(std::string text) {
  text = ToValidUtf8(text);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  if (text.size() > kQuotedBytes) {
    text.resize(CompleteUtf8Prefix(std::string_view(text).substr(0, kQuotedBytes)));
    text += "...";
  }
  return text;
}

/// The message in {"error":{"message":...}}, {"message":...} or {"detail":...}, else the body.
std::string ServerMessage(const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) {
    const nlohmann::json& error = json.contains("error") ? json["error"] : json;
    if (error.is_string()) return Quote(error.get<std::string>());
    for (const char* field : {"message", "detail"}) {
      if (error.is_object() && error.contains(field) && error[field].is_string()) {
        return Quote(error[field].get<std::string>());
      }
    }
  }
  return Quote(body);
}

bool SaysTooLong(const HttpResponse& response) {
  if (response.status != 400 && response.status != 413 && response.status != 422) return false;
  for (const char* sign : {"exceed_context_size_error", "context_length_exceeded",
                           "maximum context length", "longer than the model's context"}) {
    if (response.body.find(sign) != std::string::npos) return true;
  }
  return false;
}

bool IsRetryable(int status) {
  if (status == 501 || status == 505) return false;
  return status == 408 || status == 429 || (status >= 500 && status < 600);
}

std::string HintFor(int status) {
  switch (status) {
    case 401:
    case 403:
      return "set PLUMBLINE_API_KEY (or OPENAI_API_KEY) in the environment to a key that this "
             "server accepts";
    case 404:
      return "check the base URL and the model's name, and that the server offers this request";
    case 429:
      return "the server limits the rate: lower the concurrency or try again later";
    case 503:
      return "the server is loading or overloaded: try again when it is ready";
    default:
      return status >= 500 ? "look into the server's log" : "";
  }
}

ErrorCode CodeFor(int status) {
  switch (status) {
    case 404:
      return ErrorCode::kNotFound;
    case 501:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kRemote;
  }
}

}  // namespace

FailedAttempt JudgeFailure(const HttpFailure& failure, const std::string& where) {
  using Kind = HttpFailure::Kind;
  const std::string message = where + ": " + failure.what;
  switch (failure.kind) {
    case Kind::kConnect:
      return {
          {ErrorCode::kNetwork, message, "check that the server runs and that the URL is right"},
          true,
          {}};
    case Kind::kTimeout:
      return {{ErrorCode::kNetwork, message,
               "the server hangs or is overloaded: look at it, or allow more time"},
              true,
              {}};
    case Kind::kBroken:
      return {{ErrorCode::kNetwork, message,
               "the server may have crashed or speak another protocol: look into its log"},
              true,
              {}};
    case Kind::kTooLarge:
      return {{ErrorCode::kRemote, message, "check that the URL is a language model's server"},
              false,
              {}};
    case Kind::kInterrupted:
      return {{ErrorCode::kCancelled, where + ": cancelled", ""}, false, {}};
  }
  return {{ErrorCode::kInternal, message, ""}, false, {}};
}

FailedAttempt JudgeStatus(const HttpResponse& response, const std::string& where) {
  FailedAttempt failed;
  const std::string status = "the server answered " + std::to_string(response.status);
  failed.error.message = where + ": " + status + ": " + ServerMessage(response.body);
  if (SaysTooLong(response)) {
    failed.error.code = ErrorCode::kTooLong;
    failed.error.hint = "shorten the prompt or the answer, or start the server with more context";
    return failed;
  }
  failed.error.code = CodeFor(response.status);
  failed.error.hint = HintFor(response.status);
  failed.retryable = IsRetryable(response.status);
  failed.retry_after = response.retry_after;
  return failed;
}

std::chrono::milliseconds Backoff(const RetryOptions& options, int retry,
                                  std::optional<std::chrono::seconds> retry_after,
                                  std::minstd_rand& random) {
  double pause = static_cast<double>(options.initial_backoff.count());
  const double longest = static_cast<double>(options.max_backoff.count());
  for (int i = 0; i < retry && pause < longest; ++i) pause *= 2;
  pause = std::min(pause, longest) * std::uniform_real_distribution<double>(0.5, 1.0)(random);
  const auto wait = std::chrono::milliseconds(static_cast<int64_t>(pause));
  return std::max<std::chrono::milliseconds>(wait, retry_after.value_or(std::chrono::seconds(0)));
}

}  // namespace plumbline::openai
