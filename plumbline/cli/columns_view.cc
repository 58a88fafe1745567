#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>

#include "plumbline/cli/live_search.h"
#include "plumbline/cli/number_format.h"
#include "plumbline/cli/run_view.h"

namespace plumbline {
namespace {

using Lines = std::vector<std::string>;

constexpr auto kRedrawInterval = std::chrono::milliseconds(80);
constexpr std::string_view kGap = "  ";

/// One procedure's column.
struct Column {
  explicit Column(int width) : search(width) {}
  std::string title;
  std::string text;
  Utf8Joiner joiner;
  LiveSearch search;
  bool running = false;
  std::string outcome;  ///< Once it has ended.
};

std::string Pad(const std::string& text, int width) {
  return text + std::string(static_cast<size_t>(std::max(width - DisplayWidth(text), 0)), ' ');
}

class ColumnsView : public RunView, private ProcedureObserver {
 public:
  ColumnsView(Terminal terminal, const std::vector<ProcedureKind>& procedures)
      : terminal_(terminal) {
    const int count = static_cast<int>(procedures.size());
    const int gaps = (count - 1) * static_cast<int>(kGap.size());
    width_ = (terminal.columns - 1 - gaps) / count;
    for (const ProcedureKind procedure : procedures) {
      columns_.emplace_back(width_);
      columns_.back().title = ProcedureName(procedure);
    }
  }

  ProcedureObserver* Begin(const Job& job) override {
    const std::scoped_lock lock(mutex_);
    current_ = &columns_[job.number];
    current_->running = true;
    Redraw(/*whole=*/false);
    return this;
  }
  void End(const JobResult& result) override {
    const std::scoped_lock lock(mutex_);
    current_->running = false;
    if (result.answer) {
      const Candidate& chosen = result.answer->chosen;
      current_->text = chosen.text;
      current_->outcome =
          fmt::format("{} tokens, {}", chosen.tokens, FormatSeconds(result.seconds));
      if (chosen.value) current_->outcome += ", value " + FormatValue(*chosen.value);
    } else {
      current_->outcome = "no answer";
    }
    Redraw(/*whole=*/false);
  }
  void PrintMessage(std::string_view lines) override {
    const std::scoped_lock lock(mutex_);
    Erase();
    std::fwrite(lines.data(), 1, lines.size(), stderr);
    Redraw(/*whole=*/false);
  }
  void Finish() override {
    const std::scoped_lock lock(mutex_);
    Redraw(/*whole=*/true);
    drawn_rows_ = 0;
  }

 private:
  void OnCommit(std::string_view text) override {
    const std::scoped_lock lock(mutex_);
    current_->text += current_->joiner.Add(text);
    RedrawInTime();
  }
  void OnCandidate(int done, int total, double value) override {
    const std::scoped_lock lock(mutex_);
    current_->search.TakeCandidate(done, total, value);
    RedrawInTime();
  }
  void OnSearch(const SearchProgress& progress) override {
    const std::scoped_lock lock(mutex_);
    current_->search.TakeSearch(progress);
    RedrawInTime();
  }

  // The rows of one column without its title.
  Lines Body(const Column& column) const {
    Lines body = column.text.empty() ? Lines() : WrapToWidth(column.text, width_);
    if (column.running) {
      for (const std::string& line : column.search.Lines()) {
        body.push_back(FitToWidth(line, width_));
      }
    }
    if (!column.outcome.empty()) body.push_back(FitToWidth("[" + column.outcome + "]", width_));
    return body;
  }

  std::string Row(const std::vector<Lines>& bodies, size_t row) const {
    std::string text;
    for (size_t i = 0; i < bodies.size(); ++i) {
      if (i > 0) text += kGap;
      text += Pad(row < bodies[i].size() ? bodies[i][row] : "", width_);
    }
    return text + "\n";
  }

  // While answers grow, only what fits the screen is drawn: rows that have scrolled away can't be
  // redrawn. At the end everything is.
  void Redraw(bool whole) {
    std::vector<Lines> titles;
    std::vector<Lines> bodies;
    size_t rows = 0;
    for (const Column& column : columns_) {
      titles.push_back({FitToWidth("--- " + column.title + " ---", width_)});
      bodies.push_back(Body(column));
      rows = std::max(rows, bodies.back().size());
    }
    const size_t room = static_cast<size_t>(std::max(terminal_.rows - 3, 1));
    const size_t from = whole || rows <= room ? 0 : rows - room;
    Erase();
    std::string screen = Row(titles, 0);
    for (size_t row = from; row < rows; ++row) screen += Row(bodies, row);
    std::fwrite(screen.data(), 1, screen.size(), stdout);
    std::fflush(stdout);
    drawn_rows_ = static_cast<int>(1 + rows - from);
    drawn_at_ = std::chrono::steady_clock::now();
  }

  void RedrawInTime() {
    if (std::chrono::steady_clock::now() - drawn_at_ >= kRedrawInterval) Redraw(/*whole=*/false);
  }

  void Erase() {
    if (drawn_rows_ > 0) std::fputs(fmt::format("\r\x1b[{}A\x1b[J", drawn_rows_).c_str(), stdout);
    std::fflush(stdout);
    drawn_rows_ = 0;
  }

  const Terminal terminal_;
  int width_ = 0;
  std::mutex mutex_;
  std::vector<Column> columns_;
  Column* current_ = nullptr;
  int drawn_rows_ = 0;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace

std::unique_ptr<RunView> MakeColumnsView(Terminal terminal, std::vector<ProcedureKind> procedures) {
  return std::make_unique<ColumnsView>(terminal, procedures);
}

}  // namespace plumbline
