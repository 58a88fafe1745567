#include "plumbline/model/openai/http_connection.h"

#include <cpp-httplib/httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <exception>
#include <utility>

namespace plumbline::openai {
namespace {

using Clock = std::chrono::steady_clock;

/// A second handle on the socket in use. httplib holds its own lock while it connects, so its
/// stop() could block; shutting down through a duplicate never does, and can't hit a descriptor
/// that has been closed and reused meanwhile.
class SocketHandle {
 public:
  ~SocketHandle() { Replace(-1); }

  void Watch(int socket) { Replace(::dup(socket)); }

  void Shutdown() {
    const std::scoped_lock lock(mutex_);
    if (duplicate_ >= 0) ::shutdown(duplicate_, SHUT_RDWR);
  }

 private:
  void Replace(int duplicate) {
    const std::scoped_lock lock(mutex_);
    if (duplicate_ >= 0) ::close(duplicate_);
    duplicate_ = duplicate;
  }

  std::mutex mutex_;
  int duplicate_ = -1;  // guarded by mutex_
};

std::optional<std::chrono::seconds> RetryAfter(const httplib::Response& response) {
  const std::string text = response.get_header_value("Retry-After");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

bool IsConnectError(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress:
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return true;
    default:
      return false;
  }
}

std::string ConnectErrorText(httplib::Error error) {
  if (error == httplib::Error::Connection) return "can't connect (nobody listens there?)";
  if (error == httplib::Error::ConnectionTimeout) return "can't connect in time";
  return "can't connect: " + httplib::to_string(error);
}

}  // namespace

class HttpConnection::Client {
 public:
  Client(const Endpoint& endpoint, HttpOptions options)
      : prefix_(endpoint.prefix),
        max_response_bytes_(options.max_response_bytes),
        client_(endpoint.Url("").substr(0, endpoint.Url("").size() - endpoint.prefix.size())) {
    client_.set_keep_alive(true);
    client_.set_follow_location(false);
    client_.set_tcp_nodelay(true);
    client_.set_connection_timeout(options.connect_timeout);
    client_.set_socket_options([this](socket_t socket) { socket_.Watch(socket); });
    if (!options.bearer_token.empty()) client_.set_bearer_token_auth(options.bearer_token);
  }

  void Shutdown() { socket_.Shutdown(); }

  tl::expected<HttpResponse, HttpFailure> Exchange(const HttpRequest& request,
                                                   std::chrono::milliseconds timeout,
                                                   const std::atomic<bool>& interrupted) {
    const Clock::time_point start = Clock::now();
    client_.set_read_timeout(timeout);
    client_.set_write_timeout(timeout);
    client_.set_max_timeout(timeout);
    HttpResponse response;
    bool too_large = false;
    httplib::Request message = MakeRequest(request, interrupted);
    message.content_receiver = [&](const char* data, size_t size, size_t, size_t) {
      too_large = size > max_response_bytes_ - response.body.size();
      if (too_large || interrupted) return false;
      response.body.append(data, size);
      return true;
    };
    const httplib::Result result = client_.send(message);
    if (result) {
      response.status = result->status;
      response.retry_after = RetryAfter(*result);
      return response;
    }
    if (interrupted) return Failure(HttpFailure::Kind::kInterrupted, "interrupted");
    if (too_large) {
      return Failure(HttpFailure::Kind::kTooLarge,
                     "the answer is larger than " + std::to_string(max_response_bytes_) + " bytes");
    }
    return Classify(result.error(), Clock::now() - start >= timeout, timeout);
  }

 private:
  static tl::unexpected<HttpFailure> Failure(HttpFailure::Kind kind, std::string what) {
    return tl::unexpected<HttpFailure>(HttpFailure{kind, std::move(what)});
  }

  static tl::unexpected<HttpFailure> Classify(httplib::Error error, bool late,
                                              std::chrono::milliseconds timeout) {
    if (IsConnectError(error)) return Failure(HttpFailure::Kind::kConnect, ConnectErrorText(error));
    if (late || error == httplib::Error::Timeout) {
      return Failure(HttpFailure::Kind::kTimeout,
                     "no complete answer within " + std::to_string(timeout.count()) + " ms");
    }
    return Failure(
        HttpFailure::Kind::kBroken,
        "the connection broke before a complete answer came (" + httplib::to_string(error) + ")");
  }

  httplib::Request MakeRequest(const HttpRequest& request,
                               const std::atomic<bool>& interrupted) const {
    httplib::Request message;
    message.method = request.method;
    message.path = prefix_ + request.path;
    message.set_header("Accept", "application/json");
    if (request.method == "POST") {
      message.set_header("Content-Type", "application/json");
      message.body = request.body;
    }
    message.upload_progress = [&interrupted](size_t, size_t) { return !interrupted; };
    return message;
  }

  const std::string prefix_;
  const size_t max_response_bytes_;
  SocketHandle socket_;
  httplib::Client client_;
};

HttpConnection::HttpConnection(const Endpoint& endpoint, HttpOptions options)
    : client_(std::make_unique<Client>(endpoint, std::move(options))) {}
HttpConnection::~HttpConnection() = default;

tl::expected<HttpResponse, HttpFailure> HttpConnection::Exchange(
    const HttpRequest& request, std::chrono::milliseconds timeout,
    const std::atomic<bool>& interrupted) {
  try {
    return client_->Exchange(request, timeout, interrupted);
  } catch (const std::exception& error) {  // httplib allocates; nothing of it may pass
    return tl::unexpected<HttpFailure>(
        HttpFailure{HttpFailure::Kind::kBroken, std::string("HTTP client: ") + error.what()});
  }
}

void HttpConnection::Interrupt() { client_->Shutdown(); }

}  // namespace plumbline::openai
