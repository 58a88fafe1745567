// For tests: a mock server that completes like vLLM, with a model of five tokens that are as
// likely after any text.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plumbline/model/openai/mock_server.h"

namespace plumbline::openai {

/// " yes" 1/2, " no" 1/4, "." 1/8, " maybe" 1/16, "</s>" 1/16. Greedy takes " yes"; other draws
/// begin at a token that follows from the seed and go round, up to the end of text. Echoes.
class ToyServer {
 public:
  /// What the server does instead of the usual for one path; may be set before requests come.
  using Override = std::function<MockReply(const nlohmann::json& body)>;

  explicit ToyServer(std::string owner = "vllm");

  MockServer& http() { return server_; }
  std::string url() const { return server_.url(); }
  void SetOverride(const std::string& path, Override reply);
  void SetModels(nlohmann::json models);

  /// Bodies of the completion requests after the first, which is the connection's trial.
  std::vector<nlohmann::json> Completions() const;

 private:
  MockReply Handle(const MockRequest& request);

  mutable std::mutex mutex_;
  nlohmann::json models_;                                    // guarded by mutex_
  std::vector<std::pair<std::string, Override>> overrides_;  // guarded by mutex_
  MockServer server_;
};

/// The usual answer to a completion request.
nlohmann::json ToyCompletion(const nlohmann::json& body);

}  // namespace plumbline::openai
