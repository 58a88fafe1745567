#include "plumbline/core/random.h"

#include <gtest/gtest.h>

#include <set>

namespace plumbline {
namespace {

// Known answers published with the generator (Random123, kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(Philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsAFunctionOfItsKeyAlone) {
  RandomStream a(RandomKey(7).Derive("roll").Derive(3));
  RandomStream b(RandomKey(7).Derive("roll").Derive(3));
  RandomStream other(RandomKey(7).Derive("roll").Derive(4));
  for (int i = 0; i < 100; ++i) {
    const uint64_t bits = a.NextBits();
    EXPECT_EQ(bits, b.NextBits());
    EXPECT_NE(bits, other.NextBits());
  }
}

TEST(RandomStream, UniformHasTheRightMoments) {
  RandomStream stream(RandomKey(1));
  constexpr int kCount = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = stream.NextUniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.005);
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 0.005);
}

TEST(RandomStream, BelowCoversItsRangeEvenly) {
  RandomStream stream(RandomKey(2));
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[stream.NextBelow(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(RandomKey, DerivedKeysDiffer) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t label = 0; label < 20; ++label) {
      seen.insert(RandomKey(seed).Derive(label).value());
    }
    seen.insert(RandomKey(seed).Derive("expand").value());
  }
  EXPECT_EQ(seen.size(), 20 * 21);
}

}  // namespace
}  // namespace plumbline
