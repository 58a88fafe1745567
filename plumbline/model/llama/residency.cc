#include "plumbline/model/llama/residency.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "plumbline/core/check.h"

namespace plumbline::llama {
namespace {

/// The deepest node on the path that somebody holds, itself or below; null if it is the root.
TokenNode* DeepestLive(TokenNode* node) {
  while (node != nullptr && node->live == 0) node = node->parent;
  return node != nullptr && node->parent != nullptr ? node : nullptr;
}

/// How many cells only this path keeps, from its tip up to where somebody holds a node.
int ColdTail(const TokenNode* tip) {
  int cells = 0;
  for (const TokenNode* node = tip; node->parent != nullptr; node = node->parent) {
    if (node->live > 0 || node->covering > 1) break;
    ++cells;
  }
  return cells;
}

}  // namespace

struct Residency::Draft {
  ReadPlan plan;
  int max_tokens = 0;
  int leaves = 0;
  int pinned = 0;
};

Residency::Residency(TokenTree& tree, KvCache& cache, const ResidencyOptions& options)
    : tree_(tree), cache_(cache), options_(options), slots_(options.slots) {
  PLUMBLINE_CHECK(options.slots >= 4);
}

int Residency::ResidentLength(const TokenNode* node) {
  while (node->parent != nullptr && node->covering == 0) node = node->parent;
  return node->position + 1;
}

ReadPlan Residency::Plan(std::span<TokenNode* const> targets, int max_tokens) {
  for (int attempt = 0;; ++attempt) {
    ++round_;
    Draft draft;
    draft.max_tokens = max_tokens;
    draft.plan.answered.reserve(targets.size());
    for (TokenNode* target : targets) draft.plan.answered.push_back(AddTarget(target, draft));
    if (!draft.plan.tokens.empty() || targets.empty()) {
      AssignSlots(draft);
      return std::move(draft.plan);
    }
    if (attempt == 1 || targets.front()->position >= options_.cells) {
      draft.plan.too_large = true;
      return std::move(draft.plan);
    }
    Reset();  // Append-only cells, or pins, left no room: begin again with an empty cache.
  }
}

// Adds what `target` lacks. False if not all of it fits into this batch.
bool Residency::AddTarget(TokenNode* target, Draft& draft) {
  if (target->planned_round == round_) {
    draft.plan.tokens[target->planned_index].output = true;
    return true;
  }
  if (target->covering > 0) GiveUpTip(target);
  std::vector<TokenNode*> missing;
  TokenNode* base = target;
  do {
    missing.push_back(base);
    base = base->parent;
  } while (base->parent != nullptr && base->covering == 0 && base->planned_round != round_);
  std::reverse(missing.begin(), missing.end());

  const int planned = static_cast<int>(draft.plan.tokens.size());
  const size_t room = static_cast<size_t>(std::max(0, draft.max_tokens - planned));
  const bool whole = missing.size() <= room;
  if (!whole) missing.resize(room);
  if (missing.empty() || !PinBase(base, draft)) return false;
  if (!MakeRoom(planned + static_cast<int>(missing.size()))) return false;
  PlanPath(missing, base, draft);
  if (whole) draft.plan.tokens[target->planned_index].output = true;
  return whole;
}

// A resident node whose logits are wanted must be read again. If only one idle slot ends there,
// that slot can step back; otherwise the node is read a second time beside itself.
void Residency::GiveUpTip(TokenNode* target) {
  if (options_.append_only || target->covering != 1) return;
  const int slot = TipSlot(target);
  if (slot < 0 || slots_[slot].pinned_round == round_ || slots_[slot].claimed_round == round_) {
    return;
  }
  if (target->parent->parent == nullptr) return Evict(slot);
  CutBack(slot, target->parent);
}

// Keeps the base resident through this round. False if slots might run out.
bool Residency::PinBase(TokenNode* base, Draft& draft) {
  const bool extends_leaf = base->planned_round == round_ && base->planned_leaf;
  const int leaves = draft.leaves + (extends_leaf ? 0 : 1);
  if (leaves + draft.pinned + 1 > options_.slots) return false;
  if (base->planned_round == round_ || base->parent == nullptr) return true;
  Slot& slot = slots_[CoveringSlot(base)];
  if (slot.pinned_round != round_) {
    slot.pinned_round = round_;
    ++draft.pinned;
  }
  return true;
}

void Residency::PlanPath(std::span<TokenNode* const> missing, TokenNode* base, Draft& draft) {
  if (base->planned_round == round_ && base->planned_leaf) {
    base->planned_leaf = false;
  } else {
    ++draft.leaves;
  }
  for (TokenNode* node : missing) {
    node->planned_round = round_;
    node->planned_leaf = node == missing.back();
    node->planned_index = static_cast<int>(draft.plan.tokens.size());
    draft.plan.tokens.push_back({node, {}, false});
  }
}

void Residency::AssignSlots(Draft& draft) {
  for (const PlannedToken& leaf : draft.plan.tokens) {
    if (!leaf.node->planned_leaf) continue;
    // Up to the first node that is resident already. One that is planned after its child is: the
    // child counted on it before its own logits were asked for.
    TokenNode* top = leaf.node;
    while (top->parent->planned_round == round_ &&
           top->parent->planned_index < top->planned_index) {
      top = top->parent;
    }
    TokenNode* base = top->parent;
    const int slot = SlotAt(base);
    for (TokenNode* node = leaf.node; node != base; node = node->parent) {
      draft.plan.tokens[node->planned_index].slots.push_back(slot);
    }
  }
}

// A slot that covers exactly the path to `base` and may read on from there.
int Residency::SlotAt(TokenNode* base) {
  int slot = base->parent == nullptr ? -1 : TipSlot(base);
  if (slot < 0) {
    slot = TakeFreeSlot();
    if (base->parent != nullptr) {
      cache_.Copy(CoveringSlot(base), slot, 0, base->position + 1);
      for (TokenNode* node = base; node->parent != nullptr; node = node->parent) {
        TokenTree::Cover(node);
      }
    }
    slots_[slot] = Slot{base, round_, round_, round_};
  }
  slots_[slot].claimed_round = round_;
  slots_[slot].pinned_round = round_;
  return slot;
}

void Residency::Commit(const ReadPlan& plan) {
  for (const PlannedToken& token : plan.tokens) {
    token.node->was_read = true;
    ++cells_used_;
    ++token.node->cells;
    token.node->buried_epoch = 0;
    if (token.node->covering > 0) token.node->duplicated_epoch = epoch_;
    for (const int slot : token.slots) {
      TokenTree::Cover(token.node);
      slots_[slot].tip = token.node;
      slots_[slot].last_used = round_;
    }
  }
  if (!options_.append_only) TrimCold();
}

void Residency::Reset() {
  for (Slot& slot : slots_) {
    if (slot.tip == nullptr) continue;
    if (slot.tip->live > 0) ++evictions_;
    TokenNode* tip = slot.tip;
    for (TokenNode* node = tip; node->parent != nullptr; node = node->parent) {
      TokenTree::Uncover(node);
      node->cells = 0;
    }
    slot = Slot{};
    tree_.Prune(tip);
  }
  cache_.Clear();
  cells_used_ = 0;
  ++epoch_;
}

int Residency::CoveringSlot(TokenNode* node) const {
  while (true) {
    if (const int slot = TipSlot(node); slot >= 0) return slot;
    // A slot that is being assigned ends here but is claimed; its path is as good to copy.
    const auto next = std::find_if(node->children.begin(), node->children.end(),
                                   [](const TokenNode* child) { return child->covering > 0; });
    if (next == node->children.end()) break;
    node = *next;
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].tip == node) return static_cast<int>(i);
  }
  PLUMBLINE_CHECK(false);
  return -1;
}

// An unclaimed slot whose tip is this node, or -1.
int Residency::TipSlot(const TokenNode* node) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].tip == node && slots_[i].claimed_round != round_) return static_cast<int>(i);
  }
  return -1;
}

int Residency::TakeFreeSlot() {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].tip == nullptr) return static_cast<int>(i);
  }
  const int victim = Victim(Want::kSlot);
  PLUMBLINE_CHECK(victim >= 0);  // PinBase counted.
  Evict(victim);
  return victim;
}

// The slot to give up first, or -1: one that loses nothing (if a slot is wanted), then one that
// nobody holds, then the least recently used.
int Residency::Victim(Want want) const {
  int victim = -1;
  std::tuple<int, uint64_t> best{std::numeric_limits<int>::max(), 0};
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.tip == nullptr || slot.pinned_round == round_ || slot.claimed_round == round_) {
      continue;
    }
    const bool redundant = slot.tip->covering > 1;
    const int loss = redundant ? (want == Want::kSlot ? 0 : 3) : slot.tip->live == 0 ? 1 : 2;
    if (const std::tuple<int, uint64_t> key{loss, slot.last_used}; key < best) {
      best = key;
      victim = static_cast<int>(i);
    }
  }
  return victim;
}

bool Residency::MakeRoom(int tokens) {
  while (cells_used_ + tokens > options_.cells) {
    if (options_.append_only) return false;
    const int victim = Victim(Want::kCells);
    if (victim < 0) return false;
    Evict(victim);
  }
  return true;
}

// The slot gives up what lies below `new_tip`, or everything if that is null.
void Residency::CutBack(int slot_index, TokenNode* new_tip) {
  Slot& slot = slots_[slot_index];
  TokenNode* old_tip = slot.tip;
  if (options_.append_only) Bury(slot_index, new_tip);
  if (old_tip->live > 0 && old_tip->covering == 1) ++evictions_;
  for (TokenNode* node = old_tip; node != new_tip && node->parent != nullptr; node = node->parent) {
    TokenTree::Uncover(node);
    // A cell without an owner is free; every other has one of its own at least.
    const int freed = node->cells - std::min(node->cells, node->covering);
    node->cells -= freed;
    if (!options_.append_only) cells_used_ -= freed;
  }
  cache_.Remove(slot_index, new_tip == nullptr ? 0 : new_tip->position + 1);
  slot.tip = new_tip;
  tree_.Prune(old_tip);
}

// Hands the cells that only this slot keeps to the graveyard, so that they are not used again. Of
// a node with several cells nobody knows which is whose: all go there.
void Residency::Bury(int slot, const TokenNode* new_tip) {
  for (TokenNode* node = slots_[slot].tip; node != new_tip && node->parent != nullptr;
       node = node->parent) {
    const bool kept_otherwise = node->covering > 1 || node->buried_epoch == epoch_;
    if (kept_otherwise && node->duplicated_epoch != epoch_) continue;
    cache_.Copy(slot, options_.slots, node->position, node->position + 1);
    node->buried_epoch = epoch_;
  }
}

void Residency::TrimCold() {
  int cold = 0;
  for (const Slot& slot : slots_) {
    if (slot.tip != nullptr) cold += ColdTail(slot.tip);
  }
  while (cold > options_.cold_cells) {
    int victim = -1;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].tip == nullptr || ColdTail(slots_[i].tip) == 0) continue;
      if (victim < 0 || slots_[i].last_used < slots_[victim].last_used) {
        victim = static_cast<int>(i);
      }
    }
    if (victim < 0) return;
    cold -= ColdTail(slots_[victim].tip);
    CutBack(victim, DeepestLive(slots_[victim].tip));
  }
}

}  // namespace plumbline::llama
