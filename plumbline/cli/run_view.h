// What a person sees while answers are made.
#pragma once

#include <memory>
#include <string_view>

#include "plumbline/cli/job.h"
#include "plumbline/cli/terminal.h"

namespace plumbline {

/// Shows a run. Begin, End and PrintMessage are called on the thread that runs the jobs; the
/// observers on the executor's thread, in between.
class RunView {
 public:
  virtual ~RunView() = default;

  /// A job begins. The observer lives until End of that job; null: nothing to hear.
  virtual ProcedureObserver* Begin(const Job& job) = 0;
  /// A job has ended, well or not.
  virtual void End(const JobResult& result) = 0;
  /// Lines for standard error that must not disturb what is shown.
  virtual void PrintMessage(std::string_view lines) = 0;
  /// All jobs have ended: leaves the terminal as the next program expects it.
  virtual void Finish() = 0;
};

/// Shows one answer after another: text as it is committed, and the search under it.
/// `label`: names the procedure before each answer.
std::unique_ptr<RunView> MakeStreamView(Terminal terminal, bool label, bool show_search);

/// Shows the answers of several procedures to one prompt in columns, redrawn as they grow. For
/// terminals of at least kColumnWidth columns for each procedure.
std::unique_ptr<RunView> MakeColumnsView(Terminal terminal, std::vector<ProcedureKind> procedures);
inline constexpr int kColumnWidth = 38;

struct BatchViewOptions {
  size_t total = 0;           ///< Jobs of this run.
  bool print_answers = true;  ///< On standard output, labelled.
  bool label = false;         ///< Name the procedure of each.
  bool show_progress = true;
};

/// Shows answers whole, as they are finished, over a progress bar.
std::unique_ptr<RunView> MakeBatchView(Terminal terminal, BatchViewOptions options);

}  // namespace plumbline
