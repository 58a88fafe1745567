#include "plumbline/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "plumbline/core/text.h"

namespace plumbline {
namespace {

constexpr std::string_view kEllipsis = "\u2026";
constexpr std::string_view kReplacement = "\uFFFD";

struct CodePointRange {
  uint32_t first;
  uint32_t last;
};

constexpr std::array kZeroWidth = {
    CodePointRange{0x300, 0x36F},   CodePointRange{0x200B, 0x200F},
    CodePointRange{0x20D0, 0x20FF}, CodePointRange{0xFE00, 0xFE0F},
    CodePointRange{0xFEFF, 0xFEFF}, CodePointRange{0xE0100, 0xE01EF},
};

constexpr std::array kDoubleWidth = {
    CodePointRange{0x1100, 0x115F},   CodePointRange{0x2E80, 0xA4CF},
    CodePointRange{0xAC00, 0xD7A3},   CodePointRange{0xF900, 0xFAFF},
    CodePointRange{0xFE30, 0xFE6F},   CodePointRange{0xFF00, 0xFF60},
    CodePointRange{0xFFE0, 0xFFE6},   CodePointRange{0x1F300, 0x1F64F},
    CodePointRange{0x1F680, 0x1F6FF}, CodePointRange{0x1F900, 0x1FAFF},
    CodePointRange{0x20000, 0x3FFFD},
};

template <size_t N>
bool IsIn(uint32_t code_point, const std::array<CodePointRange, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const CodePointRange& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

size_t CharacterBytes(unsigned char first) {
  if (first < 0x80) return 1;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

uint32_t CodePoint(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x80) return first;
  uint32_t code_point = first & (0xFFu >> (character.size() + 1));
  for (const char c : character.substr(1)) code_point = code_point << 6 | (c & 0x3F);
  return code_point;
}

int CharacterWidth(std::string_view character) {
  const uint32_t code_point = CodePoint(character);
  if (IsIn(code_point, kZeroWidth)) return 0;
  return IsIn(code_point, kDoubleWidth) ? 2 : 1;
}

std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const size_t bytes = std::min(CharacterBytes(static_cast<unsigned char>(text[0])), text.size());
    characters.push_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return characters;
}

/// Breaks one paragraph into lines at blanks.
void WrapParagraph(std::string_view paragraph, int columns, std::vector<std::string>& lines) {
  std::string line;
  int width = 0;
  size_t last_blank = std::string::npos;  // where `line` may be broken
  for (const std::string_view character : Characters(paragraph)) {
    const int character_width = CharacterWidth(character);
    if (width + character_width > columns && width > 0) {
      const bool at_blank = last_blank != std::string::npos && character != " ";
      std::string rest = at_blank ? line.substr(last_blank + 1) : "";
      if (at_blank) line.resize(last_blank);
      lines.push_back(std::move(line));
      line = std::move(rest);
      width = DisplayWidth(line);
      last_blank = std::string::npos;
      if (character == " ") continue;
    }
    if (character == " ") last_blank = line.size();
    line += character;
    width += character_width;
  }
  lines.push_back(std::move(line));
}

}  // namespace

Terminal DetectTerminal() {
  Terminal terminal;
  const char* kind = std::getenv("TERM");
  const bool dumb = !kind || std::string_view(kind) == "dumb";
  terminal.shows_output = ::isatty(STDOUT_FILENO) == 1;
  terminal.shows_errors = ::isatty(STDERR_FILENO) == 1 && !dumb;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    terminal.columns = size.ws_col;
    terminal.rows = size.ws_row;
  }
  return terminal;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (const std::string_view character : Characters(text)) width += CharacterWidth(character);
  return width;
}

std::string Printable(std::string_view text) {
  std::string printable;
  const std::string valid = ToValidUtf8(text);
  for (const std::string_view character : Characters(valid)) {
    const uint32_t code_point = CodePoint(character);
    const bool layout = code_point == '\n' || code_point == '\t';
    const bool control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
    printable += control && !layout ? kReplacement : character;
  }
  return printable;
}

std::string FitToWidth(std::string_view text, int columns, bool keep_end) {
  std::string line = Printable(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  if (DisplayWidth(line) <= columns) return line;
  std::vector<std::string_view> characters = Characters(line);
  if (keep_end) std::reverse(characters.begin(), characters.end());
  std::vector<std::string_view> kept;
  int width = 1;  // the ellipsis
  for (const std::string_view character : characters) {
    width += CharacterWidth(character);
    if (width > columns) break;
    kept.push_back(character);
  }
  kept.push_back(kEllipsis);
  if (keep_end) std::reverse(kept.begin(), kept.end());
  std::string fitted;
  for (const std::string_view character : kept) fitted += character;
  return fitted;
}

std::vector<std::string> WrapToWidth(std::string_view text, int columns) {
  std::string printable = Printable(text);
  std::replace(printable.begin(), printable.end(), '\t', ' ');
  std::vector<std::string> lines;
  std::string_view rest = printable;
  while (true) {
    const size_t end = rest.find('\n');
    WrapParagraph(rest.substr(0, end), std::max(columns, 1), lines);
    if (end == std::string_view::npos) return lines;
    rest.remove_prefix(end + 1);
  }
}

std::string Utf8Joiner::Add(std::string_view piece) {
  pending_ += piece;
  const size_t complete = CompleteUtf8Prefix(pending_);
  std::string text = ToValidUtf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string Utf8Joiner::Finish() {
  std::string text = ToValidUtf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace plumbline
