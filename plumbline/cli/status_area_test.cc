#include "plumbline/cli/status_area.h"

#include <gmock/gmock.h>

#include <thread>

namespace plumbline {
namespace {

using testing::HasSubstr;
using testing::Not;

Terminal BothShown() { return {.shows_output = true, .shows_errors = true, .columns = 10}; }

std::string ErrorsOf(const std::function<void()>& act) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  act();
  testing::internal::GetCapturedStdout();
  return testing::internal::GetCapturedStderr();
}

TEST(StatusArea, WithoutATerminalTextPassesUnchangedAndNothingElseIsWritten) {
  testing::internal::CaptureStdout();
  const std::string errors = [] {
    testing::internal::CaptureStderr();
    StatusArea area(Terminal{});
    area.SetStatus({"status"});
    area.PrintText("a\x1b[0m");
    area.Clear();
    return testing::internal::GetCapturedStderr();
  }();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a\x1b[0m");
  EXPECT_EQ(errors, "");
}

TEST(StatusArea, DrawsUnderTheTextAndComesBackToItsEnd) {
  const std::string errors = ErrorsOf([] {
    StatusArea area(BothShown());
    area.PrintText("abc");
    area.SetStatus({"one", "two"});
    area.Clear();
  });
  EXPECT_THAT(errors, HasSubstr("\n\x1b[2mone\x1b[0m\n\x1b[2mtwo\x1b[0m"));
  EXPECT_THAT(errors, HasSubstr("\x1b[2A\x1b[4G\x1b[J"));  // two up, behind "abc", clear
}

TEST(StatusArea, CutsLinesToTheWidthAndRedrawsNotTooOften) {
  const std::string errors = ErrorsOf([] {
    StatusArea area(BothShown());
    area.SetStatus({"a line that is too long"});
    area.SetStatus({"not drawn"});
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    area.SetStatus({"drawn"});
  });
  EXPECT_THAT(errors, HasSubstr("a line t…"));
  EXPECT_THAT(errors, Not(HasSubstr("not dra")));
  EXPECT_THAT(errors, HasSubstr("drawn"));
}

TEST(StatusArea, ForgetsTheColumnAtALineEnd) {
  const std::string errors = ErrorsOf([] {
    StatusArea area(BothShown());
    area.PrintText("abc\n");
    area.SetStatus({"one"});
    area.Clear();
  });
  EXPECT_THAT(errors, HasSubstr("\r\x1b[J"));
  EXPECT_THAT(errors, Not(HasSubstr("A\x1b[")));
}

}  // namespace
}  // namespace plumbline
