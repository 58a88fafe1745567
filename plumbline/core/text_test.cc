#include "plumbline/core/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace plumbline {
namespace {

TEST(Utf8, AcceptsWhatIsValid) {
  for (const std::string_view text : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                      "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text));
    EXPECT_EQ(ToValidUtf8(text), text);
  }
}

TEST(Utf8, RefusesOverlongSurrogatesAndStrayBytes) {
  for (const std::string_view text : {"\xC0\xAF", "\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                                      "\xE2\x82", "a\xFF", "\xF4\x90\x80\x80", "\xE0\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(text));
    EXPECT_TRUE(IsValidUtf8(ToValidUtf8(text)));
  }
}

TEST(Utf8, PrefixStopsBeforeAnUnfinishedCharacter) {
  EXPECT_EQ(CompleteUtf8Prefix("ab\xF0\x9F\x98"), 2u);
  EXPECT_EQ(CompleteUtf8Prefix("ab\xC3"), 2u);
  EXPECT_EQ(CompleteUtf8Prefix("ab\xC3\xA9"), 4u);
  EXPECT_EQ(CompleteUtf8Prefix("\x80\x80\x80\x80"), 4u);  // Never becomes valid: passed on.
  EXPECT_EQ(CompleteUtf8Prefix(""), 0u);
}

TEST(NearestName, FindsTyposOnly) {
  const std::vector<std::string> names = {"temperature", "top-k", "seed"};
  EXPECT_EQ(NearestName("temprature", names), "temperature");
  EXPECT_EQ(NearestName("sead", names), "seed");
  EXPECT_EQ(NearestName("completely-else", names), "");
}

}  // namespace
}  // namespace plumbline
