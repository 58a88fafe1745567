#include "plumbline/data/csv.h"

namespace plumbline {
namespace {

/// Splits one record, of which further lines may arrive, into fields.
class FieldSplitter {
 public:
  /// Takes one line. False if there is text after a closing quote.
  bool TakeLine(std::string_view line) {
    for (const char c : line) {
      if (!Take(c)) return false;
    }
    if (place_ == Place::kQuoted) {
      fields_.back() += '\n';
    }
    return true;
  }
  bool inside_quotes() const { return place_ == Place::kQuoted; }
  std::vector<std::string> TakeFields() { return std::move(fields_); }

 private:
  enum class Place { kFieldStart, kPlain, kQuoted, kAfterQuote };

  bool Take(char c) {
    if (place_ == Place::kQuoted) {
      if (c == '"') {
        place_ = Place::kAfterQuote;
      } else {
        fields_.back() += c;
      }
    } else if (c == ',') {
      fields_.emplace_back();
      place_ = Place::kFieldStart;
    } else if (c == '"' && place_ == Place::kFieldStart) {
      place_ = Place::kQuoted;
    } else if (c == '"' && place_ == Place::kAfterQuote) {
      fields_.back() += '"';  // a doubled quote
      place_ = Place::kQuoted;
    } else if (place_ == Place::kAfterQuote) {
      return false;
    } else {
      fields_.back() += c;
      place_ = Place::kPlain;
    }
    return true;
  }

  std::vector<std::string> fields_{1};
  Place place_ = Place::kFieldStart;
};

}  // namespace

Result<std::optional<CsvRecord>> CsvReader::Next() {
  PLUMBLINE_ASSIGN(std::optional<std::string> line, lines_.Next());
  while (line && line->empty()) {
    PLUMBLINE_ASSIGN(line, lines_.Next());
  }
  if (!line) return std::optional<CsvRecord>();
  CsvRecord record;
  record.line = lines_.line();
  FieldSplitter splitter;
  while (true) {
    if (!splitter.TakeLine(*line)) {
      return Fail(ErrorCode::kInvalidInput, lines_.Where() + ": text after a closing quote",
                  "write a quote inside a field as two quotes");
    }
    if (!splitter.inside_quotes()) break;
    PLUMBLINE_ASSIGN(line, lines_.Next());
    if (!line) {
      return Fail(ErrorCode::kInvalidInput,
                  Where(record) + ": a quoted field of this record never ends",
                  "look for a missing closing quote");
    }
  }
  record.fields = splitter.TakeFields();
  return std::optional<CsvRecord>(std::move(record));
}

}  // namespace plumbline
