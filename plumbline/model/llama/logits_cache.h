// The logits of the last few branch points, so that going back to one (to sample its children
// after it was rolled forward, say) doesn't read its last token again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plumbline/model/llama/token_tree.h"

namespace plumbline::llama {

/// A fixed number of rows, the least recently used one replaced. Not thread-safe.
class LogitsCache {
 public:
  /// `tree` must outlive the cache.
  LogitsCache(TokenTree& tree, int entries) : entries_(entries) {
    tree.OnForgetLogits([this](TokenNode* node) { Forget(node); });
  }

  /// The stored row, or an empty span.
  std::span<const float> Find(const TokenNode* node) {
    if (node->logits_entry < 0) return {};
    Entry& entry = entries_[node->logits_entry];
    entry.last_used = ++clock_;
    return entry.row;
  }

  void Store(TokenNode* node, std::span<const float> row) {
    if (entries_.empty()) return;
    const int index = node->logits_entry >= 0 ? node->logits_entry : LeastRecentlyUsed();
    Entry& entry = entries_[index];
    if (entry.node != nullptr) entry.node->logits_entry = -1;
    entry.node = node;
    entry.last_used = ++clock_;
    entry.row.assign(row.begin(), row.end());
    node->logits_entry = index;
  }

  void Forget(TokenNode* node) {
    entries_[node->logits_entry].node = nullptr;
    entries_[node->logits_entry].last_used = 0;
    node->logits_entry = -1;
  }

 private:
  struct Entry {
    TokenNode* node = nullptr;
    uint64_t last_used = 0;
    std::vector<float> row;
  };

  int LeastRecentlyUsed() const {
    int oldest = 0;
    for (size_t i = 1; i < entries_.size(); ++i) {
      if (entries_[i].last_used < entries_[oldest].last_used) oldest = static_cast<int>(i);
    }
    return oldest;
  }

  std::vector<Entry> entries_;
  uint64_t clock_ = 0;
};

}  // namespace plumbline::llama
