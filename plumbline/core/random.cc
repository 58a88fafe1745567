#include "plumbline/core/random.h"

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

// Derivation uses another counter half than drawing does, so that a derived key never equals a
// number that its parent's stream hands out.
constexpr uint32_t kDeriveDomain = 1;

constexpr uint64_t Join(uint32_t low, uint32_t high) { return (uint64_t{high} << 32) | low; }

uint64_t Block(uint64_t key, uint64_t counter, uint32_t domain) {
  const std::array<uint32_t, 4> words =
      Philox4x32({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), domain, 0},
                 {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  return Join(words[0], words[1]);
}

}  // namespace

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomKey RandomKey::Derive(uint64_t label) const {
  return RandomKey(Block(value_, label, kDeriveDomain));
}

RandomKey RandomKey::Derive(std::string_view purpose) const {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : purpose) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return Derive(hash);
}

uint64_t RandomStream::NextBits() { return Block(key_.value(), counter_++, 0); }

double RandomStream::NextUniform() { return static_cast<double>(NextBits() >> 11) * 0x1.0p-53; }

uint64_t RandomStream::NextBelow(uint64_t bound) {
  PLUMBLINE_CHECK(bound > 0);
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;  // Reject the uneven tail.
  while (true) {
    if (const uint64_t bits = NextBits(); bits < limit) return bits % bound;
  }
}

}  // namespace plumbline
