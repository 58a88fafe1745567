// What the program needs to know about the terminal, and text measured as a terminal shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

struct Terminal {
  bool shows_output = false;  ///< Standard output is a terminal.
  bool shows_errors = false;  ///< Standard error is one that can move its cursor.
  int columns = 80;
  int rows = 24;
};

/// Asks the system; the size is that of now. TERM=dumb counts as no terminal for standard error.
Terminal DetectTerminal();

/// Columns that valid UTF-8 without control characters takes: 0 for combining marks, 2 for East
/// Asian wide characters and emoji, else 1.
int DisplayWidth(std::string_view text);

/// `text` made safe to show: invalid UTF-8 and control characters other than "\n" and "\t" become
/// U+FFFD, so that a model can't send escape sequences to the terminal.
std::string Printable(std::string_view text);

/// One line of at most `columns` columns: line ends and tabs become blanks, and what doesn't fit
/// is cut at the end (or, with `keep_end`, at the start) and marked by an ellipsis.
std::string FitToWidth(std::string_view text, int columns, bool keep_end = false);

/// Lines of at most `columns` columns, broken at blanks where possible and at "\n".
std::vector<std::string> WrapToWidth(std::string_view text, int columns);

/// Puts a stream of pieces that may split UTF-8 characters together again.
class Utf8Joiner {
 public:
  /// What is complete after one more piece.
  std::string Add(std::string_view piece);
  /// What is left at the end, made valid.
  std::string Finish();

 private:
  std::string pending_;
};

}  // namespace plumbline
