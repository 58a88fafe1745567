#include "plumbline/core/sha256.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

// The examples of FIPS 180-4.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesMakeNoDifference) {
  const std::string text(1000, 'x');
  Sha256 hash;
  for (size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 % 71 + 1) {
    hash.Update(std::string_view(text).substr(at, step));
  }
  EXPECT_EQ(hash.HexDigest(), Sha256Hex(text));
}

TEST(Sha256OfFile, NamesAMissingFile) {
  const Result<std::string> digest = Sha256OfFile("/nonexistent/file");
  ASSERT_FALSE(digest.has_value());
  EXPECT_EQ(digest.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace plumbline
