#include "plumbline/core/text.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace plumbline {
namespace {

struct Utf8Step {
  size_t length;  // Bytes that belong to this character or invalid part; at least 1.
  bool valid;
  bool incomplete;  // Valid so far, but the text ends inside.
};

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The range that the second byte must be in, by the first (RFC 3629, section 4).
std::pair<unsigned char, unsigned char> SecondByteRange(unsigned char first) {
  switch (first) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {0x80, 0xBF};
  }
}

size_t CharacterLength(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

Utf8Step StepAt(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = CharacterLength(byte(0));
  if (length == 0) return {1, false, false};
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, false, true};
    const auto [low, high] = SecondByteRange(byte(0));
    const bool good = i == 1 ? byte(i) >= low && byte(i) <= high : IsContinuation(byte(i));
    if (!good) return {i, false, false};
  }
  return {length, true, false};
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = StepAt(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

size_t CompleteUtf8Prefix(std::string_view text) {
  const size_t from = text.size() > 3 ? text.size() - 3 : 0;
  for (size_t start = text.size(); start-- > from;) {
    if (IsContinuation(static_cast<unsigned char>(text[start]))) continue;
    return StepAt(text.substr(start)).incomplete ? start : text.size();
  }
  return text.size();
}

std::string ToValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = StepAt(text);
    if (step.valid) {
      valid += text.substr(0, step.length);
    } else {
      valid += "\xEF\xBF\xBD";
    }
    text.remove_prefix(step.length);
  }
  return valid;
}

std::string NearestName(std::string_view wanted, std::span<const std::string> names) {
  std::string nearest;
  size_t best = std::max<size_t>(2, wanted.size() / 3) + 1;
  for (const std::string& name : names) {
    if (const size_t distance = EditDistance(wanted, name); distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace plumbline
