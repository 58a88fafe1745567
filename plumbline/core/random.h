// Counter-based random numbers: the n-th number of a stream is a pure function of (key, n), so a
// result doesn't depend on threads, on batch width, or on what else drew numbers before it.
//
// The generator is Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace plumbline {

/// Names a stream of random numbers. Derive a key for every independent purpose:
/// `RandomKey(seed).Derive("expand").Derive(node)`. Equal derivations give equal keys.
class RandomKey {
 public:
  constexpr explicit RandomKey(uint64_t seed = 0) : value_(seed) {}

  /// A key for a numbered part of this one.
  RandomKey Derive(uint64_t label) const;
  /// A key for a named purpose of this one.
  RandomKey Derive(std::string_view purpose) const;

  uint64_t value() const { return value_; }
  friend bool operator==(RandomKey, RandomKey) = default;

 private:
  uint64_t value_;
};

/// The numbers of one key, in order. Cheap to copy; a copy continues at the same place.
class RandomStream {
 public:
  explicit RandomStream(RandomKey key) : key_(key) {}

  /// Uniform over all 64-bit integers.
  uint64_t NextBits();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double NextUniform();
  /// Uniform in {0, ..., bound - 1}; bound must be positive.
  uint64_t NextBelow(uint64_t bound);

 private:
  RandomKey key_;
  uint64_t counter_ = 0;
};

/// Philox4x32-10 itself: four 32-bit words for a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

}  // namespace plumbline
