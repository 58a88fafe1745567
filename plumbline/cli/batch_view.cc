#include <fmt/format.h>

#include <chrono>

#include "plumbline/cli/number_format.h"
#include "plumbline/cli/run_view.h"
#include "plumbline/cli/status_area.h"

namespace plumbline {
namespace {

using Clock = std::chrono::steady_clock;

std::string Bar(size_t done, size_t total, size_t cells) {
  const size_t full = total == 0 ? cells : done * cells / total;
  return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
}

class BatchView : public RunView {
 public:
  BatchView(Terminal terminal, BatchViewOptions options) : area_(terminal), options_(options) {
    ShowProgress();
  }

  ProcedureObserver* Begin(const Job&) override { return nullptr; }

  void End(const JobResult& result) override {
    ++done_;
    if (result.answer) {
      tokens_ += result.answer->chosen.tokens;
      if (options_.print_answers) Print(result);
    }
    ShowProgress();
  }
  void PrintMessage(std::string_view lines) override { area_.PrintMessage(lines); }
  void Finish() override { area_.Clear(); }

 private:
  void Print(const JobResult& result) {
    const PromptRecord& prompt = *result.job.prompt;
    std::string heading = fmt::format("--- {}", prompt.index + 1);
    if (!prompt.id.empty()) heading += " (" + prompt.id + ")";
    if (options_.label) heading += fmt::format(" {}", ProcedureName(result.job.procedure));
    Utf8Joiner joiner;
    std::string text = joiner.Add(result.answer->chosen.text);
    text += joiner.Finish();
    area_.PrintText(heading + " ---\n" + text + "\n\n");
  }

  void ShowProgress() {
    if (!options_.show_progress) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    std::string line =
        fmt::format("{} {}/{}", Bar(done_, options_.total, 24), done_, options_.total);
    if (done_ > 0) {
      const double rate = static_cast<double>(done_) / seconds;
      line += fmt::format("  {:.2f}/s  {:.1f} tokens/s  {} left", rate,
                          static_cast<double>(tokens_) / seconds,
                          FormatSeconds(static_cast<double>(options_.total - done_) / rate));
    }
    area_.SetStatus({line});
  }

  StatusArea area_;
  const BatchViewOptions options_;
  const Clock::time_point begin_ = Clock::now();
  size_t done_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace

std::unique_ptr<RunView> MakeBatchView(Terminal terminal, BatchViewOptions options) {
  return std::make_unique<BatchView>(terminal, options);
}

}  // namespace plumbline
