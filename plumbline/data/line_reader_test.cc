#include "plumbline/data/line_reader.h"

#include "plumbline/core/posix_file.h"
#include "plumbline/data/temp_file.h"

namespace plumbline {
namespace {

using LineReaderTest = TempFolder;

Result<std::vector<std::string>> ReadAll(const std::string& path) {
  PLUMBLINE_ASSIGN(LineReader reader, LineReader::Open(path));
  std::vector<std::string> lines;
  while (true) {
    PLUMBLINE_ASSIGN(std::optional<std::string> line, reader.Next());
    if (!line) return lines;
    lines.push_back(std::move(*line));
  }
}

TEST_F(LineReaderTest, TakesEveryLineEndAndDropsAByteOrderMark) {
  const std::string path = Write("a", "\xEF\xBB\xBFone\r\n\ntwo\nlast");
  EXPECT_EQ(ReadAll(path).value(), (std::vector<std::string>{"one", "", "two", "last"}));
}

TEST_F(LineReaderTest, AnEmptyFileHasNoLines) {
  EXPECT_TRUE(ReadAll(Write("a", "")).value().empty());
}

TEST_F(LineReaderTest, ReadsGzipLikePlainText) {
  std::string content;
  for (int i = 0; i < 20000; ++i) content += "line " + std::to_string(i) + "\n";
  const auto lines = ReadAll(WriteGzip("a.gz", content)).value();
  ASSERT_EQ(lines.size(), 20000u);
  EXPECT_EQ(lines[19999], "line 19999");
}

TEST_F(LineReaderTest, SaysThatGzipEndsEarly) {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += std::to_string(i * 7919) + "\n";
  const std::string whole = ReadWholeFile(WriteGzip("a.gz", content)).value();
  const auto lines = ReadAll(Write("b.gz", whole.substr(0, whole.size() / 2)));
  ASSERT_FALSE(lines.has_value());
  EXPECT_EQ(lines.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(lines.error().message.find("ends early"), std::string::npos);
}

TEST_F(LineReaderTest, SaysThatGzipIsBroken) {
  std::string whole = ReadWholeFile(WriteGzip("a.gz", std::string(5000, 'x') + "\n")).value();
  whole[whole.size() - 6] ^= 0x55;  // in the checksum
  EXPECT_EQ(ReadAll(Write("b.gz", whole)).error().code, ErrorCode::kInvalidInput);
}

TEST_F(LineReaderTest, NamesTheLineThatIsNotUtf8) {
  const auto lines = ReadAll(Write("a", "good\nb\xFF\x64\n"));
  ASSERT_FALSE(lines.has_value());
  EXPECT_EQ(lines.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(lines.error().message.find("a:2: not valid UTF-8"), std::string::npos);
}

TEST_F(LineReaderTest, RefusesMissingFilesAndFolders) {
  EXPECT_EQ(ReadAll(Path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadAll(testing::TempDir()).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace plumbline
