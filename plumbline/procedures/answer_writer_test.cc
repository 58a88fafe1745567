#include "plumbline/procedures/answer_writer.h"

#include <gtest/gtest.h>

#include <thread>

#include "plumbline/procedures/test_support.h"

namespace plumbline {
namespace {

using testing_support::Recorder;

TEST(CutAtStop, CutsBeforeTheFirst) {
  const std::vector<std::string> stops{"END", "\n\n"};
  EXPECT_EQ(CutAtStop("abENDcd", stops), "ab");
  EXPECT_EQ(CutAtStop("ab\n\nEND", stops), "ab");
  EXPECT_EQ(CutAtStop("abEN", stops), "abEN");
  EXPECT_EQ(CutAtStop("abEND", {}), "abEND");
  EXPECT_EQ(CutAtStop("abENDcdEND", stops, 5), "abENDcd");
  EXPECT_EQ(CutAtStop("abENDcd", stops, 3), "ab");  // Across the place looked from.
}

TEST(SafeLength, HoldsBackWhatMayBecomeAStopString) {
  const std::vector<std::string> stops{"END", "\n\nHuman:"};
  EXPECT_EQ(SafeLength("ab", stops), 2u);
  EXPECT_EQ(SafeLength("abEN", stops), 2u);
  EXPECT_EQ(SafeLength("ab\n\nHum", stops), 2u);
  EXPECT_EQ(SafeLength("E", stops), 0u);
  EXPECT_EQ(SafeLength("abE", {}), 3u);
}

TEST(AnswerWriter, NeverShowsWhatIsCutLater) {
  Limits limits;
  limits.stop_strings = {"STOP"};
  Recorder recorder;
  AnswerWriter writer(limits, &recorder);
  writer.Append("go S", 2, -1);
  EXPECT_EQ(recorder.Text(), "go ");
  writer.Append("T", 1, -1);
  writer.Append("ay ST", 2, -1);
  EXPECT_EQ(recorder.Text(), "go STay ");
  writer.Append("OP now", 3, -0.5);
  EXPECT_TRUE(writer.stopped());
  writer.Close();
  EXPECT_EQ(recorder.Text(), "go STay ");
  EXPECT_EQ(writer.text(), "go STay ");
  EXPECT_EQ(writer.tokens(), 8);
  EXPECT_NEAR(writer.log_prob(), -3.5, 1e-12);
}

TEST(AnswerWriter, CloseReleasesWhatWasHeldBack) {
  Limits limits;
  limits.stop_strings = {"STOP"};
  Recorder recorder;
  AnswerWriter writer(limits, &recorder);
  writer.Append("go ST", 2, 0);
  writer.Close();
  EXPECT_EQ(recorder.Text(), "go ST");
  EXPECT_FALSE(writer.stopped());
}

TEST(AnswerWriter, PiecesMakeTheAnswerForRandomStopStrings) {
  RandomStream random{RandomKey(5)};
  for (int round = 0; round < 500; ++round) {
    const auto word = [&random](size_t length) {
      std::string text;
      while (text.size() < length) text += static_cast<char>('a' + random.NextBelow(2));
      return text;
    };
    Limits limits;
    limits.stop_strings = {word(1 + random.NextBelow(5)), word(3)};
    Recorder recorder;
    AnswerWriter writer(limits, &recorder);
    std::string all;
    while (all.size() < 20 && !writer.stopped()) {
      const std::string piece = word(random.NextBelow(4));
      all += piece;
      writer.Append(piece, 1, 0);
    }
    writer.Close();
    EXPECT_EQ(recorder.Text(), CutAtStop(all, limits.stop_strings));
    EXPECT_EQ(writer.text(), recorder.Text());
  }
}

TEST(Budget, NamesWhatIsUsedUp) {
  Limits limits;
  Usage usage;
  usage.tokens_read = 1000;
  EXPECT_EQ(Budget(limits, usage).Exceeded(), std::nullopt);
  limits.token_budget = 5;
  const Budget tokens(limits, usage);
  usage.tokens_read += 4;
  EXPECT_EQ(tokens.Exceeded(), std::nullopt);
  usage.tokens_read += 1;
  EXPECT_EQ(tokens.Exceeded(), StopCause::kTokenBudget);
  limits.token_budget.reset();
  limits.time_budget = std::chrono::milliseconds(0);
  EXPECT_EQ(Budget(limits, usage).Exceeded(), StopCause::kTimeBudget);
}

}  // namespace
}  // namespace plumbline
