// A remote branch: the text, and for servers that speak token ids the tokens, from the start to a
// position.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/model/language_model.h"

namespace plumbline::openai {

/// One stretch of a path, shared by all positions after it. Thread-safe; immutable but for what is
/// learnt of its tokens.
class PathState : public BranchState {
 public:
  PathState(std::shared_ptr<const PathState> parent, PromptPiece piece)
      : parent_(std::move(parent)), piece_(std::move(piece)) {}

  /// A stretch whose tokens are known, in the server's ids.
  PathState(std::shared_ptr<const PathState> parent, std::string text, std::vector<TokenId> ids)
      : parent_(std::move(parent)), piece_{std::move(text), false}, ids_(std::move(ids)) {}

  /// A stretch whose tokens are only counted.
  PathState(std::shared_ptr<const PathState> parent, std::string text, int tokens)
      : parent_(std::move(parent)), piece_{std::move(text), false}, count_(tokens) {}

  const std::shared_ptr<const PathState>& parent() const { return parent_; }
  const PromptPiece& piece() const { return piece_; }
  bool first() const { return parent_ == nullptr; }

  std::optional<std::vector<TokenId>> ids() const;
  void LearnIds(std::vector<TokenId> ids) const;
  std::optional<int> count() const;  ///< Of its tokens.
  void LearnCount(int count) const;

 private:
  const std::shared_ptr<const PathState> parent_;
  const PromptPiece piece_;
  mutable std::mutex mutex_;
  mutable std::optional<std::vector<TokenId>> ids_;  // guarded by mutex_
  mutable std::optional<int> count_;                 // guarded by mutex_
};

using PathPtr = std::shared_ptr<const PathState>;

/// The stretches from the start to `end`.
std::vector<PathPtr> Stretches(const PathPtr& end);

/// All text from the start.
std::string PathText(const PathPtr& end);

/// All tokens from the start; every stretch's must have been learnt (CHECK).
std::vector<TokenId> PathIds(const PathPtr& end);

}  // namespace plumbline::openai
