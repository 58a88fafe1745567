// A few status lines under streamed text, redrawn in place.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/cli/terminal.h"

namespace plumbline {

/// Writes text to standard output and keeps status lines on standard error under it. Without a
/// terminal there are no status lines, and text goes out unchanged. No terminal mode is ever
/// changed: at worst, a process that is killed leaves its last status lines behind. Thread-safe.
class StatusArea {
 public:
  explicit StatusArea(Terminal terminal) : terminal_(terminal) {}
  ~StatusArea() { Clear(); }
  StatusArea(const StatusArea&) = delete;
  StatusArea& operator=(const StatusArea&) = delete;

  /// Whether status lines are shown at all.
  bool visible() const { return terminal_.shows_errors; }
  const Terminal& terminal() const { return terminal_; }

  /// Appends valid UTF-8 to standard output. On a terminal, control characters are replaced.
  void PrintText(std::string_view text);

  /// Prints whole lines on standard error, above the status lines.
  void PrintMessage(std::string_view lines);

  /// Replaces the status lines, each cut to the terminal's width. Redraws at most every 80 ms.
  void SetStatus(std::vector<std::string> lines);

  /// Removes the status lines; the cursor is where the text ends.
  void Clear();

 private:
  void Erase();
  void Draw();
  void Advance(std::string_view text);

  const Terminal terminal_;
  std::mutex mutex_;
  std::vector<std::string> lines_;  // wanted
  int drawn_rows_ = 0;              // on the screen
  int text_column_ = 0;             // where text ends on its row, if it is shown
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace plumbline
