// Comma-separated values (RFC 4180): quoted fields, doubled quotes, fields of several lines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/data/line_reader.h"

namespace plumbline {

/// One record of a CSV file.
struct CsvRecord {
  int line = 0;                     ///< Where it begins, from 1.
  std::vector<std::string> fields;  ///< Unquoted. A line end inside a field is "\n".
};

/// Reads records in order. Blank lines between records are skipped. Not thread-safe.
class CsvReader {
 public:
  explicit CsvReader(LineReader lines) : lines_(std::move(lines)) {}

  /// The next record; nullopt at the end. kInvalidInput with file:line for a quote that never
  /// ends or text after a closing quote, and whatever LineReader fails with.
  Result<std::optional<CsvRecord>> Next();

  /// "file:line" of a record.
  std::string Where(const CsvRecord& record) const { return lines_.Where(record.line); }

 private:
  LineReader lines_;
};

}  // namespace plumbline
