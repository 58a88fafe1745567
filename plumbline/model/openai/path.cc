#include "plumbline/model/openai/path.h"

#include <algorithm>

#include "plumbline/core/check.h"

namespace plumbline::openai {

std::optional<std::vector<TokenId>> PathState::ids() const {
  const std::scoped_lock lock(mutex_);
  return ids_;
}

void PathState::LearnIds(std::vector<TokenId> ids) const {
  const std::scoped_lock lock(mutex_);
  ids_ = std::move(ids);
}

std::optional<int> PathState::count() const {
  const std::scoped_lock lock(mutex_);
  if (ids_.has_value()) return static_cast<int>(ids_->size());
  return count_;
}

void PathState::LearnCount(int count) const {
  const std::scoped_lock lock(mutex_);
  count_ = count;
}

std::vector<PathPtr> Stretches(const PathPtr& end) {
  std::vector<PathPtr> stretches;
  for (PathPtr at = end; at != nullptr; at = at->parent()) stretches.push_back(at);
  std::reverse(stretches.begin(), stretches.end());
  return stretches;
}

std::string PathText(const PathPtr& end) {
  std::string text;
  for (const PathPtr& stretch : Stretches(end)) text += stretch->piece().text;
  return text;
}

std::vector<TokenId> PathIds(const PathPtr& end) {
  std::vector<TokenId> all;
  for (const PathPtr& stretch : Stretches(end)) {
    const std::optional<std::vector<TokenId>> ids = stretch->ids();
    PLUMBLINE_CHECK(ids.has_value());
    all.insert(all.end(), ids->begin(), ids->end());
  }
  return all;
}

}  // namespace plumbline::openai
