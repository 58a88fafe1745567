// SHA-256 (FIPS 180-4): checks model files and names records; not used for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline {

/// Hashes bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  void Update(std::string_view bytes);
  /// 64 lower-case hexadecimal digits. Call once, last.
  std::string HexDigest();

 private:
  void Compress(const unsigned char* block);

  std::array<uint32_t, 8> state_;
  std::array<unsigned char, 64> block_;
  size_t filled_ = 0;    // bytes waiting in block_
  uint64_t length_ = 0;  // bytes seen
};

/// The digest of a text.
std::string Sha256Hex(std::string_view text);

/// The digest of a file's content. kNotFound, kIo.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace plumbline
