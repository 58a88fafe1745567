// Tokens of a remote model, as numbers.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "plumbline/model/openai/completion_answer.h"

namespace plumbline::openai {

/// Gives numbers to tokens: the server's own ids where it tells them, else one for each text, in
/// the order in which they are met. Not thread-safe.
class TokenTable {
 public:
  TokenId Intern(const RemoteToken& token);

  /// Null for an id that was never given out.
  const std::string* TextOf(TokenId token) const;

  /// The text of the end-of-text token for servers that show it; empty while it isn't known.
  const std::string& end_of_text() const { return end_of_text_; }
  void LearnEndOfText(std::string text) { end_of_text_ = std::move(text); }

 private:
  std::unordered_map<TokenId, std::string> texts_;
  std::unordered_map<std::string, TokenId> ids_;  // of tokens that came without one
  std::string end_of_text_;
};

}  // namespace plumbline::openai
