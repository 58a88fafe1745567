// One connection to a server: an HTTP exchange at a time, bounded in time and size, that another
// thread can interrupt. The only user of cpp-httplib's client in this room.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "plumbline/model/openai/endpoint.h"

namespace plumbline::openai {

struct HttpRequest {
  std::string method = "POST";  ///< "GET" or "POST".
  std::string path;             ///< From the server's root, as "/v1/completions".
  std::string body;             ///< JSON; ignored by GET.
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;  ///< Its Retry-After, if given in seconds.
};

/// Why there was no complete response.
struct HttpFailure {
  enum class Kind {
    kConnect,      ///< Nobody there: refused, unreachable, unknown host, TLS.
    kTimeout,      ///< No complete response in time.
    kBroken,       ///< The connection broke, or what came is not HTTP.
    kTooLarge,     ///< The body is over the limit.
    kInterrupted,  ///< By Interrupt() or the flag.
  };
  Kind kind = Kind::kBroken;
  std::string what;  ///< For people: "connection refused".
};

struct HttpOptions {
  std::string bearer_token;  ///< Sent as "Authorization: Bearer ..."; empty: not sent.
  std::chrono::milliseconds connect_timeout{5000};
  size_t max_response_bytes = 64u << 20;
};

/// Keeps its connection open between exchanges. Redirects aren't followed: they could carry the
/// token elsewhere. Exchange on one thread at a time; Interrupt on any.
class HttpConnection {
 public:
  HttpConnection(const Endpoint& endpoint, HttpOptions options);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Sends, waits for the whole response, at most for `timeout`. Gives up at once when
  /// `interrupted` is set before the request is out, and on Interrupt() afterwards.
  tl::expected<HttpResponse, HttpFailure> Exchange(const HttpRequest& request,
                                                   std::chrono::milliseconds timeout,
                                                   const std::atomic<bool>& interrupted);

  /// Breaks the exchange in progress. Doesn't wait.
  void Interrupt();

 private:
  class Client;
  std::unique_ptr<Client> client_;
};

}  // namespace plumbline::openai
