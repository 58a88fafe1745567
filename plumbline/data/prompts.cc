#include "plumbline/data/prompts.h"

#include <algorithm>
#include <array>

#include "plumbline/core/text.h"
#include "plumbline/data/csv.h"
#include "plumbline/data/json_text.h"
#include "plumbline/data/line_reader.h"
#include "plumbline/data/prompt_json.h"

namespace plumbline {
namespace {

struct NamedFormat {
  std::string_view name;
  PromptFormat format;
};

constexpr std::array kFormats = {
    NamedFormat{"auto", PromptFormat::kAuto}, NamedFormat{"jsonl", PromptFormat::kJsonl},
    NamedFormat{"hh", PromptFormat::kHh},     NamedFormat{"csv", PromptFormat::kCsv},
    NamedFormat{"text", PromptFormat::kText},
};

// Adds where it happened to an error.
tl::unexpected<Error> At(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return tl::unexpected(std::move(error));
}

Result<PromptFormat> FormatOfName(std::string_view path) {
  if (path == "-") return PromptFormat::kJsonl;
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".csv")) return PromptFormat::kCsv;
  if (path.ends_with(".txt")) return PromptFormat::kText;
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json"}) {
    if (path.ends_with(ending)) return PromptFormat::kAuto;  // settled by the first record
  }
  return Fail(ErrorCode::kInvalidArgument,
              "can't tell the format of " + std::string(path) + " from its name",
              "give --format jsonl, hh, csv or text");
}

/// Collects the records that skip and limit ask for.
class Collector {
 public:
  explicit Collector(const PromptSource& source) : source_(source) {}

  /// Whether the next record is to be left out unread.
  bool SkipsNext() const { return seen_ < source_.skip; }
  void CountSkipped() { ++seen_; }
  bool full() const { return records_.size() >= source_.limit; }

  Status Add(PromptRecord record, std::string where) {
    if (Status valid = ValidateDialogue(record.dialogue); !valid) return At(where, valid.error());
    record.where = std::move(where);
    record.index = seen_++;
    records_.push_back(std::move(record));
    return {};
  }

  Result<std::vector<PromptRecord>> Finish() && {
    if (seen_ == 0) {
      return Fail(ErrorCode::kInvalidInput, source_.path + " holds no prompts",
                  "it is empty; check the path and --format");
    }
    if (records_.empty() && source_.limit > 0) {
      return Fail(
          ErrorCode::kInvalidArgument,
          "--skip leaves nothing of the " + std::to_string(seen_) + " prompts in " + source_.path);
    }
    return std::move(records_);
  }

 private:
  const PromptSource& source_;
  std::vector<PromptRecord> records_;
  size_t seen_ = 0;
};

Status ReadJsonLine(const PromptSource& source, const LineReader& lines, const std::string& line,
                    PromptFormat& format, Collector& collector) {
  Result<nlohmann::json> object = ParseJson(line);
  if (!object) return At(lines.Where(), object.error());
  if (format == PromptFormat::kAuto) {
    const bool pairs = source.column.empty() && internal::LooksLikeHhPair(*object);
    format = pairs ? PromptFormat::kHh : PromptFormat::kJsonl;
  }
  Result<PromptRecord> record = format == PromptFormat::kHh
                                    ? internal::PromptFromHhPair(*object)
                                    : internal::PromptFromObject(*object, source.column);
  if (!record) return At(lines.Where(), record.error());
  return collector.Add(std::move(*record), lines.Where());
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

Result<std::vector<PromptRecord>> ReadLines(const PromptSource& source, PromptFormat format) {
  PLUMBLINE_ASSIGN(LineReader lines, LineReader::Open(source.path));
  Collector collector(source);
  while (!collector.full()) {
    PLUMBLINE_ASSIGN(const std::optional<std::string> line, lines.Next());
    if (!line) break;
    if (IsBlank(*line)) continue;
    if (collector.SkipsNext()) {
      collector.CountSkipped();
    } else if (format == PromptFormat::kText) {
      PromptRecord record;
      record.dialogue = {{Role::kUser, *line}};
      PLUMBLINE_TRY(collector.Add(std::move(record), lines.Where()));
    } else {
      PLUMBLINE_TRY(ReadJsonLine(source, lines, *line, format, collector));
    }
  }
  return std::move(collector).Finish();
}

Result<size_t> FindColumn(const CsvRecord& header, const PromptSource& source) {
  const std::string wanted = source.column.empty() ? "prompt" : source.column;
  const auto found = std::find(header.fields.begin(), header.fields.end(), wanted);
  if (found != header.fields.end()) return static_cast<size_t>(found - header.fields.begin());
  std::string known;
  for (const std::string& name : header.fields) known += (known.empty() ? "" : ", ") + name;
  const std::string nearest = NearestName(wanted, header.fields);
  return Fail(
      ErrorCode::kNotFound, source.path + " has no column '" + wanted + "'",
      (nearest.empty() ? "" : "did you mean --column '" + nearest + "'? ") + "columns: " + known);
}

Result<std::vector<PromptRecord>> ReadCsv(const PromptSource& source) {
  PLUMBLINE_ASSIGN(LineReader lines, LineReader::Open(source.path));
  CsvReader csv(std::move(lines));
  Collector collector(source);
  PLUMBLINE_ASSIGN(const std::optional<CsvRecord> header, csv.Next());
  if (!header) return std::move(collector).Finish();
  PLUMBLINE_ASSIGN(const size_t column, FindColumn(*header, source));
  const auto id_at = std::find(header->fields.begin(), header->fields.end(), "id");
  while (!collector.full()) {
    PLUMBLINE_ASSIGN(std::optional<CsvRecord> row, csv.Next());
    if (!row) break;
    if (collector.SkipsNext()) {
      collector.CountSkipped();
      continue;
    }
    if (row->fields.size() != header->fields.size()) {
      return Fail(ErrorCode::kInvalidInput,
                  csv.Where(*row) + ": " + std::to_string(row->fields.size()) +
                      " fields where the header has " + std::to_string(header->fields.size()),
                  "put fields with commas, quotes or line ends in double quotes");
    }
    PromptRecord record;
    record.dialogue = {{Role::kUser, std::move(row->fields[column])}};
    if (id_at != header->fields.end()) {
      record.id = std::move(row->fields[static_cast<size_t>(id_at - header->fields.begin())]);
    }
    PLUMBLINE_TRY(collector.Add(std::move(record), csv.Where(*row)));
  }
  return std::move(collector).Finish();
}

}  // namespace

Result<PromptFormat> ParsePromptFormat(std::string_view name) {
  std::vector<std::string> names;
  for (const NamedFormat& known : kFormats) {
    if (known.name == name) return known.format;
    names.emplace_back(known.name);
  }
  const std::string nearest = NearestName(name, names);
  return Fail(
      ErrorCode::kInvalidArgument, "unknown format '" + std::string(name) + "'",
      nearest.empty() ? "known: auto, jsonl, hh, csv, text" : "did you mean '" + nearest + "'?");
}

Result<PromptRecord> PromptFromJson(const nlohmann::json& object) {
  return internal::PromptFromObject(object, "");
}

Result<std::vector<PromptRecord>> ReadPrompts(const PromptSource& source) {
  PromptFormat format = source.format;
  if (format == PromptFormat::kAuto) {
    PLUMBLINE_ASSIGN(format, FormatOfName(source.path));
  }
  return format == PromptFormat::kCsv ? ReadCsv(source) : ReadLines(source, format);
}

}  // namespace plumbline
