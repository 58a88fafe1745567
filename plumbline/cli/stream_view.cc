#include <fmt/format.h>

#include <optional>

#include "plumbline/cli/live_search.h"
#include "plumbline/cli/run_view.h"
#include "plumbline/cli/status_area.h"

namespace plumbline {
namespace {

/// Prints committed text and keeps the status lines up to date.
class StreamObserver : public ProcedureObserver {
 public:
  StreamObserver(StatusArea& area, bool show_search)
      : area_(area), show_search_(show_search), search_(area.terminal().columns) {}

  void OnCommit(std::string_view text) override {
    const std::string complete = joiner_.Add(text);
    printed_ |= !complete.empty();
    ends_line_ = complete.empty() ? ends_line_ : complete.ends_with('\n');
    if (!complete.empty()) area_.PrintText(complete);
  }
  void OnCandidate(int done, int total, double value) override {
    search_.TakeCandidate(done, total, value);
    if (show_search_) area_.SetStatus(search_.Lines());
  }
  void OnSearch(const SearchProgress& progress) override {
    search_.TakeSearch(progress);
    if (show_search_) area_.SetStatus(search_.Lines());
  }

  /// Ends the text with a line end. `answer`: null if there is none.
  void Finish(const Answer* answer) {
    area_.Clear();
    // Procedures that choose among whole candidates may commit nothing on the way.
    if (!printed_ && answer) OnCommit(answer->chosen.text);
    const std::string rest = joiner_.Finish();
    if (!rest.empty()) area_.PrintText(rest);
    if ((answer || printed_) && (!ends_line_ || !rest.empty())) area_.PrintText("\n");
  }

 private:
  StatusArea& area_;
  const bool show_search_;
  LiveSearch search_;
  Utf8Joiner joiner_;
  bool printed_ = false;
  bool ends_line_ = false;
};

class StreamView : public RunView {
 public:
  StreamView(Terminal terminal, bool label, bool show_search)
      : area_(terminal), label_(label), show_search_(show_search) {}

  ProcedureObserver* Begin(const Job& job) override {
    if (label_) {
      const bool first = job.number == 0;
      area_.PrintText(
          fmt::format("{}--- {} ---\n", first ? "" : "\n", ProcedureName(job.procedure)));
    }
    observer_.emplace(area_, show_search_);
    return &*observer_;
  }
  void End(const JobResult& result) override {
    observer_->Finish(result.answer ? &*result.answer : nullptr);
  }
  void PrintMessage(std::string_view lines) override { area_.PrintMessage(lines); }
  void Finish() override { area_.Clear(); }

 private:
  StatusArea area_;
  const bool label_;
  const bool show_search_;
  std::optional<StreamObserver> observer_;
};

}  // namespace

std::unique_ptr<RunView> MakeStreamView(Terminal terminal, bool label, bool show_search) {
  return std::make_unique<StreamView>(terminal, label, show_search);
}

}  // namespace plumbline
