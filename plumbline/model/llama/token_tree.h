// The prefix tree of token sequences behind branches: one node a token, shared by every sequence
// that begins alike, across requests. Pure bookkeeping; nothing here knows of llama.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "plumbline/model/language_model.h"

namespace plumbline::llama {

/// One token at one position after one history.
struct TokenNode {
  TokenNode* parent = nullptr;  ///< Null for the root, which holds no token.
  TokenId token = -1;
  int position = -1;                 ///< 0 for the first token of a sequence; -1 for the root.
  std::vector<TokenNode*> children;  ///< In the order of creation.

  int holders = 0;   ///< Handles on exactly this node.
  int live = 0;      ///< holders, plus the children whose `live` isn't 0: 0 means nobody needs it.
  int covering = 0;  ///< Slots whose path passes through here: more than 0 means resident.
  int cells = 0;     ///< An upper bound of the cells that hold it; at most `covering`.
  bool was_read = false;          ///< Has been through the model at least once.
  uint64_t planned_round = 0;     ///< The round that reads it, if it is the current one.
  int planned_index = 0;          ///< Its place in that round's batch.
  bool planned_leaf = false;      ///< Nothing in that round's batch follows it.
  uint64_t buried_epoch = 0;      ///< See Residency: its cells outlive their slots until then.
  uint64_t duplicated_epoch = 0;  ///< Until then several cells may hold it.
  int logits_entry = -1;          ///< Its place in the logits cache, or -1.
};

/// Owns all nodes. A node lives while it is held, resident, or has a living child. Not
/// thread-safe.
class TokenTree {
 public:
  TokenTree() = default;
  ~TokenTree();
  TokenTree(const TokenTree&) = delete;
  TokenTree& operator=(const TokenTree&) = delete;

  TokenNode* root() { return &root_; }
  /// Number of nodes without the root.
  size_t size() const { return size_; }
  /// Called before a node with a logits_entry is deleted.
  void OnForgetLogits(std::function<void(TokenNode*)> forget) { forget_ = std::move(forget); }

  /// The child with this token, made if there is none.
  TokenNode* Child(TokenNode* node, TokenId token);

  void Hold(TokenNode* node);
  /// May delete the node and ancestors that nobody needs any more.
  void Release(TokenNode* node);

  /// A slot's path now includes, or no longer includes, this one node.
  static void Cover(TokenNode* node) { ++node->covering; }
  static void Uncover(TokenNode* node) { --node->covering; }

  /// Deletes the node if it is unneeded, then its parent if that became so, and so on.
  void Prune(TokenNode* node);

 private:
  static bool IsNeeded(const TokenNode& node) {
    return node.holders > 0 || node.covering > 0 || !node.children.empty();
  }

  TokenNode root_;
  size_t size_ = 0;
  std::function<void(TokenNode*)> forget_;
};

}  // namespace plumbline::llama
