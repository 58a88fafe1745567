// Which token sequences have their keys and values in the cache, and how the next batch reads what
// is missing. Bookkeeping over an abstract cache, so that it is tested without a model.
//
// A *slot* is one of the cache's sequence ids: it covers the path from the root to its tip. Paths
// share cells, so forking is copying metadata. A node is resident while any slot covers it. When
// cells or slots run out, the least recently used slots are evicted: first those whose tip nobody
// holds, then others; what was evicted is read again when it is touched, and counted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plumbline/model/llama/token_tree.h"

namespace plumbline::llama {

/// The operations of a key/value cache on sequences.
class KvCache {
 public:
  virtual ~KvCache() = default;
  /// `to` also owns the cells of `from` at positions [begin, end).
  virtual void Copy(int from, int to, int begin, int end) = 0;
  /// `slot` gives up its cells at positions [begin, infinity).
  virtual void Remove(int slot, int begin) = 0;
  /// Everything is forgotten.
  virtual void Clear() = 0;
};

struct ResidencyOptions {
  int slots = 64;         ///< Sequence ids 0 .. slots - 1 are used; >= 4.
  int cells = 4096;       ///< Tokens that fit the cache.
  int cold_cells = 1024;  ///< How many cells may stay with what nobody holds.
  /// Never hand out a cell twice between two Clears: cells then lie in the order of positions
  /// along every path, so that attention adds up in one order and results are bit-equal. What is
  /// given up goes to one more sequence, number `slots`, that nobody reads.
  bool append_only = false;
};

/// A token to read: which node, and for which slots.
struct PlannedToken {
  TokenNode* node = nullptr;
  std::vector<int> slots;
  bool output = false;  ///< Its logits are wanted.
};

/// A batch to decode, parents before children.
struct ReadPlan {
  std::vector<PlannedToken> tokens;
  /// For each target whether this batch answers it; one that is not answered is planned again.
  std::vector<bool> answered;
  /// No progress is possible: the first target's path doesn't fit the cache.
  bool too_large = false;
};

class Residency {
 public:
  /// Both must outlive the object.
  Residency(TokenTree& tree, KvCache& cache, const ResidencyOptions& options);

  /// Prepares a batch of at most `max_tokens` (>= 1) that brings the logits of as many targets as
  /// fit, in their order; a long path is read in parts over several plans. Slots are assigned and
  /// copied; the caller decodes the plan and then calls Commit, or Reset if decoding failed.
  /// Targets are held nodes other than the root; a node may be wanted several times.
  ReadPlan Plan(std::span<TokenNode* const> targets, int max_tokens);
  void Commit(const ReadPlan& plan);

  /// Evicts everything.
  void Reset();

  /// Slots given up, or cut, that covered something nobody else did.
  int64_t evictions() const { return evictions_; }
  int cells_used() const { return cells_used_; }

  /// How many tokens of the path to `node` are resident.
  static int ResidentLength(const TokenNode* node);

 private:
  struct Slot {
    TokenNode* tip = nullptr;  // null: free
    uint64_t last_used = 0;
    uint64_t pinned_round = 0;   // must not be evicted in this round
    uint64_t claimed_round = 0;  // reads something in this round
  };
  struct Draft;
  enum class Want { kSlot, kCells };

  bool AddTarget(TokenNode* target, Draft& draft);
  void GiveUpTip(TokenNode* target);
  bool PinBase(TokenNode* base, Draft& draft);
  void PlanPath(std::span<TokenNode* const> missing, TokenNode* base, Draft& draft);
  void AssignSlots(Draft& draft);
  int SlotAt(TokenNode* base);
  int CoveringSlot(TokenNode* node) const;
  int TipSlot(const TokenNode* node) const;
  int TakeFreeSlot();
  int Victim(Want want) const;
  bool MakeRoom(int tokens);
  void Evict(int slot) { CutBack(slot, nullptr); }
  void CutBack(int slot, TokenNode* new_tip);
  void Bury(int slot, const TokenNode* new_tip);
  void TrimCold();

  TokenTree& tree_;
  KvCache& cache_;
  ResidencyOptions options_;
  std::vector<Slot> slots_;
  uint64_t round_ = 0;
  uint64_t epoch_ = 1;  // counts Clears
  int cells_used_ = 0;
  int64_t evictions_ = 0;
};

}  // namespace plumbline::llama
