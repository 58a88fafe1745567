#include "plumbline/cli/generate.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>

#include "plumbline/cli/answer_json.h"
#include "plumbline/cli/interrupt.h"
#include "plumbline/cli/job.h"
#include "plumbline/cli/prompt_options.h"
#include "plumbline/cli/run_view.h"
#include "plumbline/cli/scorer_options.h"
#include "plumbline/cli/status_area.h"
#include "plumbline/cli/summary.h"
#include "plumbline/core/atomic_file.h"
#include "plumbline/core/posix_file.h"
#include "plumbline/data/json_text.h"
#include "plumbline/data/run_store.h"
#include "plumbline/search/trace.h"

namespace plumbline {
namespace {

constexpr const char* kExamples = R"(Examples:
  plumbline generate "Why is the sky blue?"
      One answer by plain sampling, streamed.
  plumbline generate --procedure rain "How do I deal with an angry neighbour?"
      RAIN: the model judges its own partial answer, rewinds, and answers better.
  plumbline generate --compare sample,best-of-n,rain "What do you think of my rival?"
      Several procedures side by side.
  plumbline generate --procedure rain --input prompts.jsonl --output answers.jsonl
      A file of prompts; run it again after a crash or Ctrl-C and it goes on.
  plumbline generate --input test.jsonl.gz --format hh --limit 100 --json > answers.jsonl
  plumbline generate --input advbench.csv --column goal --procedure best-of-n -n 8
  plumbline generate --model http://localhost:8000 --remote-model NAME "Hello"

Exit codes: docs/cli.md lists them; 0 is success, 130 is Ctrl-C.)";

struct GenerateOptions {
  PromptOptions prompts;
  ModelOptions models;
  ProcedureOptions procedures;
  ScorerOptions scorer;
  SamplingOptions sampling;
  size_t parallel = 8;
  bool json = false;
  std::string trace;
  std::string output;
  bool quiet = false;
  bool verbose = false;
};

void AddOutputOptions(CLI::App& app, GenerateOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group("Output"); };
  group(app.add_option("-o,--output", options.output,
                       "Append answers to this JSONL file; prompts that it answers already are "
                       "left out, so that a run that was stopped can go on"))
      ->type_name("FILE");
  group(app.add_flag("--json", options.json,
                     "Print each answer as one line of JSON (docs/files.md)"));
  group(app.add_option("--trace", options.trace, "Write RAIN's whole search tree as JSON"))
      ->type_name("FILE");
  group(app.add_option("--parallel", options.parallel, "Prompts at once"))
      ->check(CLI::Range(1, 256).description(""))
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* quiet = group(app.add_flag("-q,--quiet", options.quiet,
                                          "No summary, no progress, no search view, no notes"));
  group(app.add_flag("-v,--verbose", options.verbose,
                     "A summary for every prompt of a file, and what the model is"))
      ->excludes(quiet);
}

/// One run of `plumbline generate`.
class Generation {
 public:
  explicit Generation(const GenerateOptions& options)
      : options_(options), terminal_(DetectTerminal()) {}

  Status Run() {
    PLUMBLINE_TRY(Prepare());
    if (jobs_.empty()) return SayNothingLeft();
    PLUMBLINE_ASSIGN(models_, LoadModels(options_.models));
    PLUMBLINE_TRY(PrepareScorer());
    view_ = ChooseView();
    RunAll();
    view_->Finish();
    if (!options_.quiet) PrintSummary();
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  bool single() const { return !options_.prompts.from_file(); }
  bool comparing() const { return plan_.kinds.size() > 1; }

  // All that can go wrong before a model is loaded.
  Status Prepare() {
    PLUMBLINE_TRY(CheckSamplingOptions(options_.sampling));
    PLUMBLINE_ASSIGN(plan_, PlanProcedures(options_.procedures));
    PLUMBLINE_TRY(CheckTrace());
    PLUMBLINE_ASSIGN(prompts_, CollectPrompts(options_.prompts));
    if (plan_.NeedsScorer()) {
      const bool published = plan_.Has(ProcedureKind::kRain) && plan_.rain.preset == "reference";
      const ValueKind value = published ? ValueKind::kHard : ValueKind::kSoft;
      PLUMBLINE_ASSIGN(scorer_plan_, PlanScorer(options_.scorer, value));
    }
    jobs_ = MakeJobs(prompts_, plan_.kinds, options_.sampling.seed);
    return options_.output.empty() ? Status() : OpenStore();
  }

  Status CheckTrace() {
    plan_.rain.trace = !options_.trace.empty();
    if (!plan_.rain.trace || (single() && plan_.Has(ProcedureKind::kRain))) return {};
    return Fail(ErrorCode::kInvalidArgument, "--trace needs one prompt and the procedure rain",
                "give a PROMPT and --procedure rain, or leave --trace out");
  }

  Status OpenStore() {
    PLUMBLINE_TRY(CheckModelFiles(options_.models));
    nlohmann::json settings = ModelSettings(options_.models);
    settings.update(SamplingSettings(options_.sampling));
    settings.update(ProcedureSettings(plan_));
    if (scorer_plan_) {
      PLUMBLINE_ASSIGN(const nlohmann::json scorer, ScorerSettings(options_.scorer, *scorer_plan_));
      settings.update(scorer);
    }
    PLUMBLINE_ASSIGN(store_, RunStore::Open(options_.output, settings));
    if (store_->torn_bytes() > 0) {
      Note(fmt::format("{}: cut off {} bytes of an unfinished last line", options_.output,
                       store_->torn_bytes()));
    }
    const size_t all = jobs_.size();
    std::erase_if(jobs_, [&](const Job& job) { return store_->Contains(job.key); });
    if (jobs_.size() < all) {
      Note(fmt::format("{}: {} of {} answers are there already; going on with the rest",
                       options_.output, all - jobs_.size(), all));
    }
    return {};
  }

  Status SayNothingLeft() const {
    Note(options_.output + ": nothing is left to do");
    return {};
  }

  Status PrepareScorer() {
    if (options_.verbose) {
      const ModelInfo& info = models_.writer->info();
      Note(fmt::format("model: {} ({}), context {} tokens, {}", info.name, info.description,
                       info.context_tokens,
                       info.has_chat_template ? "own chat template" : "no chat template"));
    }
    if (!scorer_plan_) return {};
    PLUMBLINE_ASSIGN(
        scorer_, SelfEvaluation::Create(models_.JudgeOrWriter(), scorer_plan_->evaluation_template,
                                        scorer_plan_->evaluation));
    if (options_.scorer.skip_check || options_.quiet) return {};
    StatusArea area(terminal_);
    area.SetStatus({"asking the judge about replies whose verdict is known (once for each model)"});
    PLUMBLINE_ASSIGN(
        const std::string warning,
        WarnIfJudgeIsBlind(models_, *scorer_plan_, JudgeKey(options_.models), interrupt_.token()));
    area.Clear();
    if (!warning.empty()) Note("warning: " + warning);
    return {};
  }

  std::unique_ptr<RunView> ChooseView() const {
    const bool text = !options_.json;
    if (!single() || !text) {
      BatchViewOptions batch;
      batch.total = jobs_.size();
      batch.print_answers = text && !store_;
      batch.label = comparing();
      batch.show_progress = !options_.quiet && !single();
      return MakeBatchView(terminal_, batch);
    }
    const int wanted = kColumnWidth * static_cast<int>(plan_.kinds.size());
    const bool columns = comparing() && terminal_.shows_output && terminal_.shows_errors &&
                         terminal_.columns >= wanted && !options_.quiet;
    if (columns) return MakeColumnsView(terminal_, plan_.kinds);
    return MakeStreamView(terminal_, comparing(), !options_.quiet);
  }

  void RunAll() {
    JobContext context;
    context.models = &models_;
    context.scorer = scorer_.get();
    context.chat_style = ChatStyleOf(options_.models);
    context.sampling = &options_.sampling;
    context.procedures = &plan_;
    context.stop = interrupt_.token();
    JobHooks hooks;
    hooks.begin = [this](const Job& job) { return view_->Begin(job); };
    hooks.end = [this](JobResult result) { return TakeResult(std::move(result)); };
    // Procedures that are compared on one prompt run one after another, so that their times mean
    // something.
    const size_t parallel = single() ? 1 : options_.parallel;
    const auto begin = std::chrono::steady_clock::now();
    RunJobs(context, jobs_, parallel, hooks);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (interrupt_.requested()) {
      failure_ = Error{ErrorCode::kCancelled, "stopped on request",
                       store_ ? "run the same command again to go on" : ""};
    }
  }

  // Whether to go on with further prompts.
  bool TakeResult(JobResult result) {
    totals_.Add(result);
    view_->End(result);
    Status kept = result.answer ? Keep(result) : Status(tl::unexpected(result.answer.error()));
    if (!kept) return TakeFailure(kept.error(), !result.answer);
    if (options_.verbose && !single()) view_->PrintMessage(FormatAnswerSummary(result));
    if (single()) results_.push_back(std::move(result));
    return true;
  }

  Status Keep(const JobResult& result) {
    if (store_ || options_.json) {
      AnswerContext context;
      context.model = &models_.writer->info();
      context.scorer = scorer_ ? scorer_->Name() : "";
      context.seed = options_.sampling.seed;
      const nlohmann::ordered_json json = AnswerJson(result, context);
      if (store_) PLUMBLINE_TRY(store_->Append(json));
      if (options_.json) PLUMBLINE_TRY(PrintLine(JsonLine(json)));
    }
    if (!options_.trace.empty() && result.answer->trace) {
      return WriteFileAtomically(options_.trace, TraceToJson(*result.answer->trace));
    }
    return {};
  }

  static Status PrintLine(const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    if (std::fflush(stdout) == 0) return {};
    return tl::unexpected(FileError("write", "standard output", errno));
  }

  // A prompt that can't be answered doesn't keep the others from being answered; a model, a server
  // or a disk that fails does. The
  // first failure decides the exit code and is explained last, where it is seen.
  bool TakeFailure(const Error& error, bool of_prompt) {
    const bool prompt_alone =
        of_prompt && (error.code == ErrorCode::kTooLong || error.code == ErrorCode::kInvalidInput ||
                      error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kExhausted);
    const bool reported_later = single() || error.code == ErrorCode::kCancelled;
    if (failure_ && !reported_later) view_->PrintMessage("plumbline: " + error.ToString() + "\n");
    if (!failure_) failure_ = error;
    return prompt_alone;
  }

  void PrintSummary() {
    std::string text;
    if (single() && results_.size() > 1) text = "\n" + FormatComparison(results_);
    if (single() && results_.size() == 1) text = "\n" + FormatAnswerSummary(results_[0]);
    if (!single()) text = totals_.Format(seconds_);
    std::fputs(text.c_str(), stderr);
    const ModelInfo& info = models_.writer->info();
    if (!info.deterministic && totals_.answered() > 0) {
      Note("note: not deterministic: " + info.determinism_note);
    }
  }

  void Note(const std::string& text) const {
    if (!options_.quiet) std::fputs((text + "\n").c_str(), stderr);
  }

  const GenerateOptions& options_;
  const Terminal terminal_;
  InterruptGuard interrupt_;
  ProcedurePlan plan_;
  std::vector<PromptRecord> prompts_;
  std::vector<Job> jobs_;
  std::optional<ScorerPlan> scorer_plan_;
  std::optional<RunStore> store_;
  Models models_;
  // Holds branches of the models. No task is left when it goes: RunJobs waits for all.
  std::unique_ptr<SelfEvaluation> scorer_;
  std::unique_ptr<RunView> view_;
  RunTotals totals_;
  std::vector<JobResult> results_;  // of a single prompt
  std::optional<Error> failure_;
  double seconds_ = 0;
};

}  // namespace

Command AddGenerate(CLI::App& program) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* app = AddSubcommand(program, "generate",
                                "Answer a prompt, a dialogue or a file of prompts", kExamples);
  AddPromptOptions(*app, options->prompts);
  AddProcedureOptions(*app, options->procedures);
  AddScorerOptions(*app, options->scorer);
  AddSamplingOptions(*app, options->sampling);
  AddModelOptions(*app, options->models, /*judging=*/true);
  AddOutputOptions(*app, *options);
  return {app, [options] { return Generation(*options).Run(); }};
}

}  // namespace plumbline
