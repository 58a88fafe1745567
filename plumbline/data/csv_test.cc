#include "plumbline/data/csv.h"

#include "plumbline/data/temp_file.h"

namespace plumbline {
namespace {

class CsvTest : public TempFolder {
 protected:
  Result<std::vector<CsvRecord>> ReadAll(const std::string& content) const {
    PLUMBLINE_ASSIGN(LineReader lines, LineReader::Open(Write("a.csv", content)));
    CsvReader csv(std::move(lines));
    std::vector<CsvRecord> records;
    while (true) {
      PLUMBLINE_ASSIGN(std::optional<CsvRecord> record, csv.Next());
      if (!record) return records;
      records.push_back(std::move(*record));
    }
  }
};

using Fields = std::vector<std::string>;

TEST_F(CsvTest, SplitsPlainAndQuotedFields) {
  const auto records = ReadAll("a,\"b, c\",\"say \"\"hi\"\"\",\r\n").value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].fields, (Fields{"a", "b, c", "say \"hi\"", ""}));
}

TEST_F(CsvTest, AFieldMayHaveSeveralLines) {
  const auto records = ReadAll("x,\"one\n\ntwo\"\r\ny,z\n").value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].fields, (Fields{"x", "one\n\ntwo"}));
  EXPECT_EQ(records[1].line, 4);
}

TEST_F(CsvTest, SkipsBlankLinesAndKeepsQuotesInsidePlainFields) {
  const auto records = ReadAll("a\n\n5\" disk\n").value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].fields, Fields{"5\" disk"});
}

TEST_F(CsvTest, NamesTheRecordWhoseQuoteNeverEnds) {
  const auto records = ReadAll("a,b\nc,\"d\ne\nf\n");
  ASSERT_FALSE(records.has_value());
  EXPECT_NE(records.error().message.find("a.csv:2: a quoted field"), std::string::npos);
}

TEST_F(CsvTest, RefusesTextAfterAClosingQuote) {
  const auto records = ReadAll("a\n\"b\"c\n");
  ASSERT_FALSE(records.has_value());
  EXPECT_NE(records.error().message.find("a.csv:2: text after a closing quote"), std::string::npos);
}

}  // namespace
}  // namespace plumbline
