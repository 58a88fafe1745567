// When a failed exchange is worth another try, how long to wait before it, and what to tell the
// user when it isn't.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>

#include "plumbline/core/result.h"
#include "plumbline/model/openai/http_connection.h"

namespace plumbline::openai {

struct RetryOptions {
  int max_retries = 4;                             ///< Tries after the first one, >= 0.
  std::chrono::milliseconds initial_backoff{250};  ///< Doubles with every retry.
  std::chrono::milliseconds max_backoff{8000};
  std::chrono::milliseconds attempt_timeout{120'000};  ///< Of one try.
  std::chrono::milliseconds deadline{300'000};         ///< Of all tries and waits of one request.
};

/// What one try gave that isn't success.
struct FailedAttempt {
  Error error;                                      ///< For the user, if it is the last one.
  bool retryable = false;                           ///< Might go away by itself.
  std::optional<std::chrono::seconds> retry_after;  ///< The server asked for this pause.
};

/// `where` names the request and the URL: "completion request to http://host:8000/v1/completions".
/// Retryable: no connection, a broken one, a timeout.
FailedAttempt JudgeFailure(const HttpFailure& failure, const std::string& where);

/// A response with another status than 2xx. Retryable: 408, 429 and 5xx but 501 and 505.
/// A prompt that doesn't fit becomes kTooLong; the server's own message is quoted.
FailedAttempt JudgeStatus(const HttpResponse& response, const std::string& where);

/// The pause before retry `retry` (0 for the first): exponential, of which a random half to the
/// whole, so that clients that failed together don't come back together; at least what the server
/// asked for.
std::chrono::milliseconds Backoff(const RetryOptions& options, int retry,
                                  std::optional<std::chrono::seconds> retry_after,
                                  std::minstd_rand& random);

}  // namespace plumbline::openai
