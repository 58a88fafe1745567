// Small text helpers that every room needs.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace plumbline {

/// Whether all bytes form valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool IsValidUtf8(std::string_view text);

/// The length of the longest prefix that doesn't end inside a UTF-8 character. Bytes that can
/// never become valid count as complete.
size_t CompleteUtf8Prefix(std::string_view text);

/// `text` with each maximal invalid part replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);

/// The name nearest to `wanted` by edit distance if it is near enough to be meant, else empty.
std::string NearestName(std::string_view wanted, std::span<const std::string> names);

}  // namespace plumbline
