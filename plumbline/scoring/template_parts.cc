#include "plumbline/scoring/template_parts.h"

#include "plumbline/core/text.h"

namespace plumbline {
namespace {

std::string_view TrimRight(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::vector<TemplateLine> SplitLines(std::string_view text) {
  std::vector<TemplateLine> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    lines.push_back({static_cast<int>(lines.size()) + 1, std::string(TrimRight(line))});
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

void DropBlankEnds(std::vector<TemplateLine>& lines) {
  while (!lines.empty() && lines.back().text.empty()) lines.pop_back();
  while (!lines.empty() && lines.front().text.empty()) lines.erase(lines.begin());
}

Result<TemplatePart> ParseHeader(const TemplateLine& line, std::string_view source) {
  if (line.text.back() != ']') {
    return TemplateError(source, line.number, "'" + line.text + "' has no closing bracket",
                         "write \\[ to begin a line of text with a bracket");
  }
  const std::string inside = line.text.substr(1, line.text.size() - 2);
  const size_t space = inside.find(' ');
  TemplatePart part{line.number, inside.substr(0, space), "", {}};
  if (space != std::string::npos) part.argument = inside.substr(space + 1);
  return part;
}

}  // namespace

std::string TemplatePart::Text() const {
  std::string text;
  for (const TemplateLine& one : lines) {
    if (&one != &lines.front()) text += '\n';
    text += one.text;
  }
  return text;
}

tl::unexpected<Error> TemplateError(std::string_view source, int line, std::string message,
                                    std::string hint) {
  return Fail(ErrorCode::kInvalidInput,
              std::string(source) + ":" + std::to_string(line) + ": " + std::move(message),
              std::move(hint));
}

Result<std::vector<TemplatePart>> SplitTemplate(std::string_view text, std::string_view source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte-order mark
  std::vector<TemplatePart> parts;
  for (TemplateLine& line : SplitLines(text)) {
    if (!IsValidUtf8(line.text)) return TemplateError(source, line.number, "invalid UTF-8");
    if (line.text.starts_with('#')) continue;
    if (line.text.starts_with('[')) {
      PLUMBLINE_ASSIGN(TemplatePart part, ParseHeader(line, source));
      parts.push_back(std::move(part));
      continue;
    }
    if (line.text.starts_with("\\[") || line.text.starts_with("\\#")) line.text.erase(0, 1);
    if (parts.empty()) {
      if (line.text.empty()) continue;
      return TemplateError(source, line.number, "text before the first part",
                           "begin with a part such as [name]");
    }
    parts.back().lines.push_back(std::move(line));
  }
  for (TemplatePart& part : parts) DropBlankEnds(part.lines);
  return parts;
}

}  // namespace plumbline
