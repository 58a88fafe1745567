#include "plumbline/data/run_store.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "plumbline/core/posix_file.h"
#include "plumbline/data/temp_file.h"

namespace plumbline {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

const nlohmann::json kSettings = {{"seed", 1}, {"temperature", 0.5}};

class RunStoreTest : public TempFolder {
 protected:
  RunStore OpenGood() const { return std::move(RunStore::Open(path(), kSettings).value()); }
  std::string path() const { return Path("out.jsonl"); }
  std::string Content() const { return ReadWholeFile(path()).value(); }
  void FillWith(const std::vector<std::string>& keys) const {
    RunStore store = OpenGood();
    for (const std::string& key : keys) ASSERT_TRUE(store.Append(Json{{"key", key}}).has_value());
  }
};

TEST_F(RunStoreTest, RemembersWhatItHolds) {
  FillWith({"a", "b"});
  const RunStore store = OpenGood();
  EXPECT_TRUE(store.Contains("a"));
  EXPECT_FALSE(store.Contains("c"));
  EXPECT_EQ(store.size(), 2u);
  EXPECT_EQ(store.torn_bytes(), 0u);
}

// A process may be killed between any two bytes: whatever prefix of the file is on disk, exactly
// the results with a whole line are there, and appending goes on cleanly.
TEST_F(RunStoreTest, GoesOnFromEveryPrefix) {
  FillWith({"a", "b"});
  const std::string whole = Content();
  for (size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    Write("out.jsonl", whole.substr(0, bytes));
    const size_t lines = static_cast<size_t>(
        std::count(whole.begin(), whole.begin() + static_cast<long>(bytes), '\n'));
    {
      Result<RunStore> store = RunStore::Open(path(), kSettings);
      ASSERT_TRUE(store.has_value()) << bytes << ": " << store.error().ToString();
      EXPECT_EQ(store->size(), lines == 0 ? 0 : lines - 1) << bytes;
      for (const std::string key : {"a", "b"}) {
        if (store->Contains(key)) continue;
        ASSERT_TRUE(store->Append(Json{{"key", key}}).has_value());
      }
    }
    EXPECT_EQ(Content(), whole) << bytes;
  }
}

TEST_F(RunStoreTest, ALastLineOfGarbageIsTornToo) {
  FillWith({"a"});
  Write("out.jsonl", Content() + std::string(20, '\0') + "\n");
  EXPECT_EQ(OpenGood().torn_bytes(), 21u);
  EXPECT_EQ(OpenGood().torn_bytes(), 0u);
}

TEST_F(RunStoreTest, GarbageBeforeTheLastLineIsAnErrorThatNamesTheLine) {
  FillWith({"a"});
  Write("out.jsonl", Content() + "{oops\n{\"key\": \"b\"}\n");
  const auto store = RunStore::Open(path(), kSettings);
  ASSERT_FALSE(store.has_value());
  EXPECT_THAT(store.error().message, HasSubstr("out.jsonl:3"));
}

TEST_F(RunStoreTest, OtherSettingsAreRefusedByName) {
  FillWith({"a"});
  const std::string before = Content();
  const auto store = RunStore::Open(path(), {{"seed", 2}, {"temperature", 0.5}, {"n", 8}});
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(store.error().message, HasSubstr("seed (1 there, 2 now)"));
  EXPECT_THAT(store.error().message, HasSubstr("n (null there, 8 now)"));
  EXPECT_THAT(store.error().message, testing::Not(HasSubstr("temperature")));
  EXPECT_EQ(Content(), before);
}

TEST_F(RunStoreTest, AFileOfSomebodyElseIsLeftAlone) {
  for (const std::string content : {"my notes", "my notes\n", "{\"a\": 1}\n", "\n"}) {
    Write("out.jsonl", content);
    const auto store = RunStore::Open(path(), kSettings);
    ASSERT_FALSE(store.has_value()) << content;
    EXPECT_EQ(store.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(Content(), content);
  }
}

TEST_F(RunStoreTest, OneRunAtATime) {
  const RunStore first = OpenGood();
  const auto second = RunStore::Open(path(), kSettings);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(RunStoreTest, AFullDiskLosesNothingFinished) {
  FillWith({"a"});
  const std::string before = Content();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{before.size() + 10, limit.rlim_max};
  {
    RunStore store = OpenGood();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const Status full = store.Append(Json{{"key", "b"}, {"text", std::string(100, 'x')}});
    setrlimit(RLIMIT_FSIZE, &limit);
    ASSERT_FALSE(full.has_value());
    EXPECT_EQ(full.error().code, ErrorCode::kIo);
    EXPECT_EQ(Content(), before);
    EXPECT_FALSE(store.Contains("b"));
    EXPECT_TRUE(store.Append(Json{{"key", "b"}}).has_value());
  }
  EXPECT_EQ(OpenGood().size(), 2u);
}

TEST_F(RunStoreTest, ADeviceIsOnlyWrittenTo) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  EXPECT_TRUE(RunStore::Open("/dev/null", kSettings).has_value());
  const auto full = RunStore::Open("/dev/full", kSettings);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace plumbline
