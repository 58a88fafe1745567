#include "plumbline/model/openai/mock_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "plumbline/core/check.h"

namespace plumbline::openai {
namespace {

constexpr std::chrono::hours kForever{1};

/// Reads one request; nothing when the client closes.
std::optional<MockRequest> ReadRequest(int socket, std::string& buffer) {
  const auto read_more = [&] {
    char bytes[4096];
    const ssize_t size = ::recv(socket, bytes, sizeof bytes, 0);
    if (size > 0) buffer.append(bytes, static_cast<size_t>(size));
    return size > 0;
  };
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  MockRequest request;
  request.headers = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  const size_t space = request.headers.find(' ');
  request.method = request.headers.substr(0, space);
  request.path =
      request.headers.substr(space + 1, request.headers.find(' ', space + 1) - space - 1);
  const size_t length_at = request.headers.find("Content-Length: ");
  const size_t length = length_at == std::string::npos
                            ? 0
                            : std::strtoul(&request.headers[length_at + 16], nullptr, 10);
  while (buffer.size() < length) {
    if (!read_more()) return std::nullopt;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return request;
}

bool SendAll(int socket, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t size = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return false;
    sent += static_cast<size_t>(size);
  }
  return true;
}

}  // namespace

MockReply JsonReply(const std::string& body, int status, const std::string& headers) {
  return {"HTTP/1.1 " + std::to_string(status) + " Mock\r\nContent-Type: application/json\r\n" +
              headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          {},
          MockReply::Then::kKeepOpen};
}

MockServer::MockServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  PLUMBLINE_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  PLUMBLINE_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  PLUMBLINE_CHECK(::listen(listener_, 64) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { AcceptMain(); });
}

MockServer::~MockServer() { Stop(); }

void MockServer::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  stopped_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
}

std::vector<MockRequest> MockServer::Seen() const {
  const std::scoped_lock lock(mutex_);
  return seen_;
}

void MockServer::AcceptMain() {
  while (true) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) return;
    const std::scoped_lock lock(mutex_);
    sockets_.push_back(socket);
    if (stopping_) return;
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void MockServer::Serve(int socket) {
  std::string buffer;
  while (const std::optional<MockRequest> request = ReadRequest(socket, buffer)) {
    {
      const std::scoped_lock lock(mutex_);
      seen_.push_back(*request);
    }
    ++requests_;
    const int now = ++at_once_;
    int most = most_at_once_;
    while (now > most && !most_at_once_.compare_exchange_weak(most, now)) {
    }
    const bool open = Answer(socket, *request);
    --at_once_;
    if (!open) break;
  }
  ::shutdown(socket, SHUT_RDWR);
}

bool MockServer::Answer(int socket, const MockRequest& request) {
  const MockReply reply = handler_(request);
  Wait(reply.delay);
  if (reply.then == MockReply::Then::kReset) {
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  const bool sent = SendAll(socket, reply.bytes);
  if (reply.then == MockReply::Then::kHang) Wait(kForever);
  return sent && reply.then == MockReply::Then::kKeepOpen;
}

void MockServer::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace plumbline::openai
