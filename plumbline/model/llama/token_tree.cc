#include "plumbline/model/llama/token_tree.h"

#include <algorithm>

#include "plumbline/core/check.h"

namespace plumbline::llama {

TokenTree::~TokenTree() {
  std::vector<TokenNode*> pending = root_.children;
  while (!pending.empty()) {
    TokenNode* node = pending.back();
    pending.pop_back();
    pending.insert(pending.end(), node->children.begin(), node->children.end());
    delete node;
  }
}

TokenNode* TokenTree::Child(TokenNode* node, TokenId token) {
  for (TokenNode* child : node->children) {
    if (child->token == token) return child;
  }
  auto* child = new TokenNode;
  child->parent = node;
  child->token = token;
  child->position = node->position + 1;
  node->children.push_back(child);
  ++size_;
  return child;
}

void TokenTree::Hold(TokenNode* node) {
  ++node->holders;
  while (node != nullptr && node->live++ == 0) node = node->parent;
}

void TokenTree::Release(TokenNode* node) {
  PLUMBLINE_CHECK(node->holders > 0);
  --node->holders;
  for (TokenNode* at = node; at != nullptr && --at->live == 0;) at = at->parent;
  Prune(node);
}

void TokenTree::Prune(TokenNode* node) {
  while (node->parent != nullptr && !IsNeeded(*node)) {
    TokenNode* parent = node->parent;
    std::erase(parent->children, node);
    if (node->logits_entry >= 0 && forget_) forget_(node);
    delete node;
    --size_;
    node = parent;
  }
}

}  // namespace plumbline::llama
