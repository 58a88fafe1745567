#include "plumbline/core/atomic_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "plumbline/core/posix_file.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  size_t FileCount() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  const fs::path folder_ = fs::path(testing::TempDir()) / "plumbline_atomic_file";
};

TEST_F(AtomicFile, ReplacesTheWholeContentAndLeavesNothingElse) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "a long first content").has_value());
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "short").has_value());
  EXPECT_EQ(ReadWholeFile(Path("a")).value(), "short");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(AtomicFile, NamesAFolderThatDoesNotExist) {
  const Status status = WriteFileAtomically(Path("none/a"), "x");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_NE(status.error().message.find("none/a"), std::string::npos);
}

TEST_F(AtomicFile, AFullDiskSaysSo) {
  if (!fs::exists("/dev/full")) GTEST_SKIP();
  const Status status = WriteFileAtomically("/dev/full", "x");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find("No space left"), std::string::npos);
  EXPECT_FALSE(fs::is_regular_file("/dev/full"));
}

TEST_F(AtomicFile, AFailedReplacementLeavesNoTemporaryFile) {
  fs::create_directories(folder_ / "busy" / "child");
  const Status status = WriteFileAtomically(Path("busy"), "x");
  EXPECT_FALSE(status.has_value());
  EXPECT_EQ(FileCount(), 1u);
}

}  // namespace
}  // namespace plumbline
