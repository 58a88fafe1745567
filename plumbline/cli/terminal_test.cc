#include "plumbline/cli/terminal.h"

#include <gtest/gtest.h>

#include "plumbline/cli/number_format.h"
#include "plumbline/core/text.h"

namespace plumbline {
namespace {

using Lines = std::vector<std::string>;

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("日本"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("é🙂"), 3);
}

TEST(Printable, LetsNoControlCharacterThrough) {
  EXPECT_EQ(Printable("a\x1b[31mb\x07"), "a\uFFFD[31mb\uFFFD");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "1m"),
            "\uFFFD1m");  // the one-character form of ESC [
  EXPECT_EQ(Printable("line\n\ttab"), "line\n\ttab");
  EXPECT_EQ(Printable("a\xFF"), "a\uFFFD");
}

TEST(FitToWidth, CutsAtEitherEndWithoutExceedingTheWidth) {
  EXPECT_EQ(FitToWidth("short", 5), "short");
  EXPECT_EQ(FitToWidth("too long", 5), "too …");
  EXPECT_EQ(FitToWidth("too long", 5, /*keep_end=*/true), "…long");
  EXPECT_EQ(FitToWidth("two\nlines", 20), "two lines");
  for (int columns = 1; columns < 12; ++columns) {
    EXPECT_LE(DisplayWidth(FitToWidth("日本語 and e\u0301 text", columns)), columns);
    EXPECT_TRUE(IsValidUtf8(FitToWidth("日本語", columns, true)));
  }
}

TEST(WrapToWidth, BreaksAtBlanksAndInsideLongWords) {
  EXPECT_EQ(WrapToWidth("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(WrapToWidth("abcdefgh", 3), (Lines{"abc", "def", "gh"}));
  EXPECT_EQ(WrapToWidth("a\n\nb", 5), (Lines{"a", "", "b"}));
  EXPECT_EQ(WrapToWidth("日本語", 4), (Lines{"日本", "語"}));
  EXPECT_EQ(WrapToWidth("", 4), Lines{""});
}

TEST(Utf8Joiner, NeverGivesHalfACharacter) {
  const std::string text = "a日🙂é";
  Utf8Joiner joiner;
  std::string joined;
  for (const char byte : text) {
    const std::string piece = joiner.Add(std::string_view(&byte, 1));
    EXPECT_TRUE(IsValidUtf8(piece));
    joined += piece;
  }
  EXPECT_EQ(joined + joiner.Finish(), text);
  EXPECT_EQ(joiner.Add("\xE6\x97"), "");
  EXPECT_EQ(joiner.Finish(), "\uFFFD");
}

TEST(NumberFormat, ReadsWell) {
  EXPECT_EQ(GroupDigits(0), "0");
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(1234567), "1,234,567");
  EXPECT_EQ(GroupDigits(-1234), "-1,234");
  EXPECT_EQ(GroupDigits(-123), "-123");
  EXPECT_EQ(FormatSeconds(0.417), "0.42 s");
  EXPECT_EQ(FormatSeconds(125), "2 min 05 s");
  EXPECT_EQ(FormatSeconds(3725), "1 h 02 min");
  EXPECT_EQ(FormatBytes(93400000), "93.4 MB");
  EXPECT_EQ(FormatBytes(12), "12 bytes");
  EXPECT_EQ(FormatCount(134.5e6), "134.5 M");
  EXPECT_EQ(FormatValue(0.5), "+0.50");
}

}  // namespace
}  // namespace plumbline
