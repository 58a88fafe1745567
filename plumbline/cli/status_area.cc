#include "plumbline/cli/status_area.h"

#include <cstdio>

namespace plumbline {
namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(80);

void Write(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

void StatusArea::PrintText(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (!terminal_.shows_output) return Write(stdout, text);
  Erase();
  const std::string printable = Printable(text);
  Write(stdout, printable);
  Advance(printable);
  Draw();
}

void StatusArea::PrintMessage(std::string_view lines) {
  const std::scoped_lock lock(mutex_);
  Erase();
  if (text_column_ > 0) Write(stderr, "\n");
  text_column_ = 0;
  Write(stderr, lines);
  Draw();
}

void StatusArea::SetStatus(std::vector<std::string> lines) {
  if (!visible()) return;
  const std::scoped_lock lock(mutex_);
  lines_ = std::move(lines);
  if (std::chrono::steady_clock::now() - drawn_at_ < kRedrawInterval) return;
  Erase();
  Draw();
}

void StatusArea::Clear() {
  const std::scoped_lock lock(mutex_);
  Erase();
  lines_.clear();
}

// Where the cursor is after `text`. A row that is exactly full is ended, because terminals differ
// in where the cursor is then.
void StatusArea::Advance(std::string_view text) {
  const size_t newline = text.rfind('\n');
  if (newline != std::string_view::npos) {
    text_column_ = 0;
    text.remove_prefix(newline + 1);
  }
  for (size_t at = 0; (at = text.find('\t')) != std::string_view::npos;) {
    text_column_ += DisplayWidth(text.substr(0, at));
    text_column_ = (text_column_ / 8 + 1) * 8;
    text.remove_prefix(at + 1);
  }
  text_column_ += DisplayWidth(text);
  if (text_column_ > 0 && text_column_ % terminal_.columns == 0) Write(stdout, "\n");
  text_column_ %= terminal_.columns;
}

void StatusArea::Erase() {
  if (drawn_rows_ == 0) return;
  const bool below_text = text_column_ > 0;
  const int rows_up = drawn_rows_ - 1 + (below_text ? 1 : 0);
  std::string codes;
  if (rows_up > 0) codes += "\x1b[" + std::to_string(rows_up) + "A";
  codes += below_text ? "\x1b[" + std::to_string(text_column_ + 1) + "G" : "\r";
  codes += "\x1b[J";
  Write(stderr, codes);
  drawn_rows_ = 0;
}

void StatusArea::Draw() {
  if (!visible() || lines_.empty()) return;
  std::string output = text_column_ > 0 ? "\n" : "";
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (i > 0) output += "\n";
    output += "\x1b[2m" + FitToWidth(lines_[i], terminal_.columns - 1) + "\x1b[0m";
  }
  Write(stderr, output);
  drawn_rows_ = static_cast<int>(lines_.size());
  drawn_at_ = std::chrono::steady_clock::now();
}

}  // namespace plumbline
