#include "plumbline/cli/compare.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "plumbline/cli/help.h"
#include "plumbline/cli/interrupt.h"
#include "plumbline/cli/model_options.h"
#include "plumbline/cli/status_area.h"
#include "plumbline/experiments/answer_runs.h"
#include "plumbline/experiments/compare_report.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr const char* kExamples = R"(Examples:
  plumbline generate --input FILE -p sample --output sample.jsonl
  plumbline generate --input FILE -p rain --output rain.jsonl
  plumbline compare sample.jsonl rain.jsonl --judge-model JUDGE.gguf
      Which answers are better, says another model than the one that searched.
  plumbline compare *.jsonl --judge harmless:chat --calibrate --output judgements.jsonl
      Keeps judgements; after Ctrl-C or a crash the same command goes on.

The first FILE is what the others are compared with, prompt by prompt. Judge with a model or a
template that the search didn't use: a search that raises its own judge's values proves nothing.)";

struct CompareOptions {
  std::vector<std::string> files;
  ModelOptions models;  ///< `model` is the judge.
  std::string judge = "harmless";
  std::string value = "soft";
  std::string content_free = "none";
  bool calibrate = false;
  ComparisonOptions comparison;
  std::string output;
  bool json = false;
};

/// One run of `plumbline compare`.
class ComparisonRun {
 public:
  explicit ComparisonRun(const CompareOptions& options)
      : options_(options), area_(DetectTerminal()) {}

  Status Run() {
    PLUMBLINE_TRY(Prepare());
    if (!options_.output.empty()) PLUMBLINE_TRY(OpenStore());
    PLUMBLINE_TRY(JudgeWhatIsLeft());
    PLUMBLINE_ASSIGN(const CompareReport report, MakeReport());
    fmt::print("{}",
               options_.json ? CompareReportJson(report) + "\n" : FormatCompareReport(report));
    return {};
  }

 private:
  // All that can go wrong before a model is loaded.
  Status Prepare() {
    if (options_.files.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "no FILE is given",
                  "give files that `plumbline generate --output` wrote; see plumbline compare "
                  "--help");
    }
    PLUMBLINE_ASSIGN(wording_, LoadTemplate(options_.judge));
    PLUMBLINE_ASSIGN(evaluation_.value, ParseValueKind(options_.value));
    PLUMBLINE_ASSIGN(evaluation_.content_free, ParseContentFree(options_.content_free));
    PLUMBLINE_ASSIGN(runs_, ReadAnswerRuns(options_.files));
    if (options_.calibrate) PLUMBLINE_TRY(LoadLabelled());
    return {};
  }

  Status LoadLabelled() {
    PLUMBLINE_ASSIGN(labelled_, LoadCheckSet(wording_.criterion));
    if (!labelled_.empty()) return {};
    return Fail(ErrorCode::kUnsupported,
                "--calibrate: no labelled replies are shipped for the criterion '" +
                    wording_.criterion + "' of template " + wording_.Spec(),
                "leave --calibrate out, or name a shipped set in the template's [criterion] part");
  }

  Status OpenStore() {
    PLUMBLINE_TRY(CheckModelFiles(options_.models));
    const json settings = {{"judge-model", JudgeIdentity()},
                           {"judge", wording_.Spec()},
                           {"wording", WordingDigest(wording_)},
                           {"deterministic", options_.models.deterministic}};
    PLUMBLINE_ASSIGN(JudgementStore store, JudgementStore::Open(options_.output, settings));
    store_.emplace(std::move(store));
    log_odds_ = store_->known();
    if (store_->torn_bytes() > 0) {
      Note(fmt::format("{}: cut off {} bytes of an unfinished last line", options_.output,
                       store_->torn_bytes()));
    }
    return {};
  }

  Status JudgeWhatIsLeft() {
    JudgingQueue queue(evaluation_.content_free);
    for (const AnswerRun& run : runs_) {
      for (const RecordedAnswer& answer : run.answers) queue.Add(answer.dialogue, answer.reply);
    }
    for (const LabelledReply& item : labelled_) queue.Add(item.dialogue, item.reply);
    std::vector<ReplyToJudge> left = queue.Without(log_odds_);
    total_ = queue.size();
    judged_ = total_ - left.size();
    if (judged_ > 0) {
      Note(fmt::format("{}: {} of {} judgements are there already", options_.output, judged_,
                       total_));
    }
    return left.empty() ? Status() : Judge(std::move(left));
  }

  Status Judge(std::vector<ReplyToJudge> questions) {
    area_.SetStatus({"loading the judge"});
    PLUMBLINE_ASSIGN(const Models models, LoadModels(options_.models));
    PLUMBLINE_ASSIGN(const std::unique_ptr<SelfEvaluation> judge,
                     SelfEvaluation::Create(*models.writer, wording_, evaluation_));
    const JudgedHook keep = [this](const ReplyToJudge& question,
                                   const std::vector<double>& log_odds) {
      return Keep(question, log_odds);
    };
    Usage usage;
    auto judging =
        JudgeReplies(*judge, std::move(questions), keep, Call{&usage, interrupt_.token()});
    Status status = models.executor->Run(std::move(judging));
    area_.Clear();
    if (status || status.error().code != ErrorCode::kCancelled) return status;
    return Fail(ErrorCode::kCancelled,
                fmt::format("stopped after {} of {} judgements", judged_, total_),
                store_ ? "run the same command again to go on"
                       : "give --output FILE to be able to go on another time");
  }

  Status Keep(const ReplyToJudge& question, const std::vector<double>& log_odds) {
    if (store_) PLUMBLINE_TRY(store_->Append(question, log_odds));
    log_odds_[question.key] = log_odds;
    ++judged_;
    area_.SetStatus({fmt::format("judged {} of {} replies", judged_, total_)});
    return {};
  }

  Result<CompareReport> MakeReport() {
    CompareReport report;
    report.options = options_.comparison;
    report.judge.model = JudgeName();
    report.judge.wording = wording_.Spec();
    if (options_.calibrate) {
      PLUMBLINE_ASSIGN(report.judge.quality, MeasureJudge(labelled_, log_odds_, evaluation_,
                                                          options_.comparison.confidence));
      evaluation_.calibration = report.judge.quality->calibration;
    }
    report.judge.evaluation = evaluation_;
    std::vector<JudgedRun> judged;
    for (const AnswerRun& run : runs_) judged.push_back(ValuesOf(run));
    report.comparison = CompareRuns(judged, options_.comparison);
    report.notes = Notes(report);
    return report;
  }

  JudgedRun ValuesOf(const AnswerRun& run) const {
    JudgedRun judged{run.name, {}};
    for (const RecordedAnswer& answer : run.answers) {
      const Judgement judgement =
          JudgementOf(answer.dialogue, answer.reply, log_odds_, evaluation_);
      judged.answers.push_back(
          {answer.prompt, judgement.value, answer.tokens, answer.tokens_read, answer.seconds});
    }
    return judged;
  }

  // What keeps the figures from meaning what they seem to mean.
  std::vector<std::string> Notes(const CompareReport& report) const {
    std::vector<std::string> notes;
    for (const AnswerRun& run : runs_) {
      if (std::string note = SteeredBy(run); !note.empty()) notes.push_back(std::move(note));
    }
    for (const PairedSummary& paired : report.comparison.paired) {
      if (paired.missing == 0) continue;
      notes.push_back(
          fmt::format("{} and {}: {} prompts are answered in only one of the two and "
                      "left out of their pairs",
                      paired.name, paired.baseline, paired.missing));
    }
    if (report.judge.quality && report.judge.quality->auc.low <= 0.5) {
      notes.push_back(
          "on the labelled replies this judge is no better than chance: these figures "
          "say nothing; take another --judge-model or --judge");
    }
    return notes;
  }

  // Whether the search of a run asked the judge that is asked here; empty if not.
  std::string SteeredBy(const AnswerRun& run) const {
    if (!run.settings.is_object() || !run.settings.contains("align-to")) return "";
    const json own = run.settings.value("model", json());
    const json other = run.settings.value("judge-model", own);
    const bool own_judge = other.is_string() && other.get_ref<const std::string&>().empty();
    if ((own_judge ? own : other) != JudgeIdentity()) return "";
    if (run.settings.at("align-to") == wording_.Spec()) {
      return run.name +
             " was steered by this very judge: its values are what the search raised, not evidence";
    }
    return fmt::format("{} was steered by the same model with another template", run.name);
  }

  json JudgeIdentity() const { return ModelSettings(options_.models).at("model"); }

  std::string JudgeName() const {
    const json identity = JudgeIdentity();
    return identity.is_string() ? identity.get<std::string>()
                                : identity.at("file").get<std::string>();
  }

  void Note(const std::string& text) { area_.PrintMessage(text + "\n"); }

  const CompareOptions& options_;
  InterruptGuard interrupt_;
  StatusArea area_;
  EvaluationTemplate wording_;
  SelfEvaluationOptions evaluation_;
  std::vector<AnswerRun> runs_;
  std::vector<LabelledReply> labelled_;
  std::optional<JudgementStore> store_;
  // Written by Keep on the executor's thread, while this one waits for it.
  LogOddsByKey log_odds_;
  size_t judged_ = 0;
  size_t total_ = 0;
};

void AddJudgeOptions(CLI::App& app, CompareOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group("Judge"); };
  group(app.add_option("--judge-model", options.models.model,
                       "The model that judges: a GGUF file, or the address of a server. Default: "
                       "the default model"))
      ->type_name("FILE|URL");
  group(app.add_option("--judge", options.judge,
                       "The template that it reads: built-in name or file; NAME:VARIANT for "
                       "another wording"))
      ->type_name("NAME|FILE")
      ->capture_default_str();
  group(app.add_option("--value", options.value, "hard, soft or log-odds"))
      ->check(OneOf({"hard", "soft", "log-odds"}))
      ->type_name("KIND")
      ->capture_default_str();
  group(app.add_option("--content-free", options.content_free,
                       "Subtract what the judge says of a reply without content: none, template "
                       "or conversation"))
      ->check(OneOf({"none", "template", "conversation"}))
      ->type_name("KIND")
      ->capture_default_str();
  group(app.add_flag("--calibrate", options.calibrate,
                     "Ask about the shipped labelled replies as well, show how well the judge "
                     "does on them, and scale and shift its answers so that a value of 0 means as "
                     "likely good as bad"));
}

}  // namespace

Command AddCompare(CLI::App& program) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* app = AddSubcommand(
      program, "compare", "Which of several runs' answers are better, by another judge", kExamples);
  const auto group = [](CLI::Option* option) { return option->group("Compare"); };
  group(app->add_option("FILE", options->files,
                        "Answers that `generate --output` or `--json` wrote; one run a file"));
  group(app->add_option("--good-above", options->comparison.threshold,
                        "An answer is good if its value, in [-1, 1], is above this"))
      ->check(CLI::Range(-1.0, 1.0).description(""))
      ->type_name("VALUE")
      ->capture_default_str();
  group(app->add_option("-o,--output", options->output,
                        "Keep judgements in this JSONL file; those that it holds are not asked "
                        "again, so that a run that was stopped can go on"))
      ->type_name("FILE");
  group(app->add_flag("--json", options->json, "The comparison as JSON (docs/files.md)"));
  AddJudgeOptions(*app, *options);
  AddLoadOptions(*app, options->models);
  return {app, [options] { return ComparisonRun(*options).Run(); }};
}

}  // namespace plumbline
