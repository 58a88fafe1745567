#include "plumbline/cli/check.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "plumbline/cli/help.h"
#include "plumbline/cli/interrupt.h"
#include "plumbline/cli/model_options.h"
#include "plumbline/cli/number_format.h"
#include "plumbline/cli/status_area.h"
#include "plumbline/core/posix_file.h"
#include "plumbline/experiments/self_check.h"

namespace plumbline {
namespace {

constexpr const char* kExamples = R"(Examples:
  plumbline check
      Asks the default model about the shipped replies, by every template.
  plumbline check --template harmless --template mine.tmpl --model FILE
      Compares wordings for one model; the best goes to `generate --align-to`.
  plumbline check --labelled replies.jsonl --json

The area under the curve (AUC) is how often the model values a good reply above a bad one: 0.5 is
chance. An interval that includes 0.5 means: don't align this model by its own judgement.)";

struct CheckOptions {
  ModelOptions models;
  std::vector<std::string> templates;
  std::string value = "soft";
  int items = 0;
  std::string labelled;
  bool json = false;
};

Result<SelfCheckOptions> PlanCheck(const CheckOptions& options, StatusArea& area) {
  SelfCheckOptions plan;
  plan.templates = options.templates;
  plan.max_items = options.items;
  PLUMBLINE_ASSIGN(plan.value, ParseValueKind(options.value));
  if (!options.labelled.empty()) {
    PLUMBLINE_ASSIGN(const std::string text, ReadWholeFile(options.labelled));
    PLUMBLINE_ASSIGN(plan.labelled, ParseLabelledReplies(text, options.labelled));
  }
  plan.progress = [&area](int done, int total, const std::string& spec) {
    area.SetStatus({fmt::format("checked {} of {} templates, last {}", done, total, spec)});
  };
  return plan;
}

Status RunCheck(const CheckOptions& options) {
  const InterruptGuard interrupt;
  StatusArea area(DetectTerminal());
  PLUMBLINE_ASSIGN(SelfCheckOptions plan, PlanCheck(options, area));
  PLUMBLINE_ASSIGN(const Models models, LoadModels(options.models));
  Usage usage;
  auto checking = RunSelfCheck(*models.writer, std::move(plan), Call{&usage, interrupt.token()});
  const Result<SelfCheckReport> report = models.executor->Run(std::move(checking));
  area.Clear();
  if (!report) return FailWith(report);
  fmt::print("{}", options.json ? SelfCheckJson(*report) + "\n" : FormatSelfCheck(*report));
  return {};
}

}  // namespace

Command AddCheck(CLI::App& program) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* app = AddSubcommand(
      program, "check", "Whether a model can judge replies, and by which template", kExamples);
  const auto group = [](CLI::Option* option) { return option->group("Check"); };
  group(app->add_option("--template", options->templates,
                        "A built-in template, with or without :VARIANT, or a file; repeatable. "
                        "Default: every built-in one"))
      ->allow_extra_args(false)
      ->type_name("NAME|FILE");
  group(app->add_option("--value", options->value, "hard, soft or log-odds"))
      ->check(OneOf({"hard", "soft", "log-odds"}))
      ->type_name("KIND")
      ->capture_default_str();
  group(app->add_option("--items", options->items,
                        "Replies for each criterion, half of them good; 0: all"))
      ->check(CLI::Range(0.0, 1e15).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app->add_option("--labelled", options->labelled,
                        "Your own labelled replies as JSONL (docs/files.md)"))
      ->type_name("FILE");
  group(app->add_flag("--json", options->json, "The report as JSON"));
  AddModelOptions(*app, options->models, /*judging=*/false);
  return {app, [options] { return RunCheck(*options); }};
}

}  // namespace plumbline
