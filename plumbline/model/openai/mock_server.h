// For tests: a server on a loopback port that says exactly what a test wants, down to the bytes
// and the broken connections.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace plumbline::openai {

struct MockRequest {
  std::string method;
  std::string path;
  std::string headers;  ///< All of them, as they came.
  std::string body;
};

/// What the server does with one request.
struct MockReply {
  std::string bytes;                   ///< Sent as they are: status line, headers, body.
  std::chrono::milliseconds delay{0};  ///< Before anything is sent.
  enum class Then { kKeepOpen, kClose, kReset, kHang } then = Then::kKeepOpen;
};

/// A well-formed response.
MockReply JsonReply(const std::string& body, int status = 200, const std::string& headers = "");

/// A handler runs on its connection's thread; several run at once.
class MockServer {
 public:
  using Handler = std::function<MockReply(const MockRequest&)>;

  explicit MockServer(Handler handler);
  /// Breaks every connection and waits for the threads.
  ~MockServer();
  MockServer(const MockServer&) = delete;
  MockServer& operator=(const MockServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  /// Handled until now, and the most that were being handled at once.
  int requests() const { return requests_; }
  int most_at_once() const { return most_at_once_; }
  /// All requests that came, in order.
  std::vector<MockRequest> Seen() const;
  /// As if the process ended: connections break, new ones are refused.
  void Stop();

 private:
  void AcceptMain();
  void Serve(int socket);
  bool Answer(int socket, const MockRequest& request);
  void Wait(std::chrono::milliseconds time);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> requests_{0};
  std::atomic<int> at_once_{0};
  std::atomic<int> most_at_once_{0};
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;             // guarded by mutex_
  std::vector<int> sockets_;          // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::vector<MockRequest> seen_;     // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace plumbline::openai
