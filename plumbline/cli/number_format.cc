#include "plumbline/cli/number_format.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace plumbline {
namespace {

struct Unit {
  double size;
  const char* name;
};

std::string WithUnit(double amount, const std::array<Unit, 3>& units, const char* smallest) {
  for (const Unit& unit : units) {
    if (amount >= unit.size) return fmt::format("{:.1f} {}", amount / unit.size, unit.name);
  }
  return fmt::format("{:.0f}{}", amount, smallest);
}

}  // namespace

std::string GroupDigits(int64_t number) {
  std::string digits = std::to_string(number);
  const int first = number < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string FormatSeconds(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string FormatBytes(int64_t bytes) {
  constexpr std::array units = {Unit{1e9, "GB"}, Unit{1e6, "MB"}, Unit{1e3, "kB"}};
  return WithUnit(static_cast<double>(bytes), units, " bytes");
}

std::string FormatCount(double count) {
  constexpr std::array units = {Unit{1e9, "B"}, Unit{1e6, "M"}, Unit{1e3, "k"}};
  return WithUnit(count, units, "");
}

std::string FormatValue(double value) { return fmt::format("{:+.2f}", value); }

}  // namespace plumbline
