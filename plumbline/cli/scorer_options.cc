#include "plumbline/cli/scorer_options.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plumbline/cli/default_model.h"
#include "plumbline/cli/help.h"
#include "plumbline/core/posix_file.h"
#include "plumbline/core/sha256.h"
#include "plumbline/experiments/self_check.h"

namespace plumbline {
namespace {

constexpr const char* kGroup = "Judging";

std::string BuiltInNames() {
  std::string names;
  for (const std::string& name : BuiltInTemplateNames()) {
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

// "FILE:VARIANT" without its variant, if FILE is a file.
std::string TemplateFileOf(const std::string& spec) {
  for (const std::string& path : {spec, spec.substr(0, spec.rfind(':'))}) {
    if (std::filesystem::is_regular_file(path)) return path;
  }
  return "";
}

}  // namespace

void AddScorerOptions(CLI::App& app, ScorerOptions& options) {
  app.add_option("--align-to", options.align_to,
                 "What a good answer is: " + BuiltInNames() +
                     ", or a template file; NAME:VARIANT for another wording "
                     "(`plumbline check` says which serves a model best)")
      ->group(kGroup)
      ->type_name("NAME|FILE")
      ->capture_default_str();
  app.add_option("--value", options.value,
                 "How the judge's two answers become a value: hard (two votes), soft (their "
                 "probabilities) or log-odds. Default: soft; hard with --rain-preset reference")
      ->group(kGroup)
      ->check(OneOf({"hard", "soft", "log-odds"}))
      ->type_name("KIND");
  app.add_option("--content-free", options.content_free,
                 "Subtract what the judge says of a reply without content: none, template (asked "
                 "once) or conversation (once for each prompt)")
      ->group(kGroup)
      ->check(OneOf({"none", "template", "conversation"}))
      ->type_name("KIND")
      ->capture_default_str();
  app.add_flag("--no-self-check", options.skip_check,
               "Don't check whether the judge is better than chance. The check is made once for "
               "each model and template, then remembered")
      ->group(kGroup);
}

Result<ScorerPlan> PlanScorer(const ScorerOptions& options, ValueKind default_value) {
  ScorerPlan plan;
  PLUMBLINE_ASSIGN(plan.evaluation_template, LoadTemplate(options.align_to));
  plan.evaluation.value = default_value;
  if (!options.value.empty()) {
    PLUMBLINE_ASSIGN(plan.evaluation.value, ParseValueKind(options.value));
  }
  PLUMBLINE_ASSIGN(plan.evaluation.content_free, ParseContentFree(options.content_free));
  return plan;
}

Result<nlohmann::json> ScorerSettings(const ScorerOptions& options, const ScorerPlan& plan) {
  nlohmann::json settings = {{"align-to", options.align_to},
                             {"value", ValueKindName(plan.evaluation.value)},
                             {"content-free", options.content_free}};
  if (const std::string file = TemplateFileOf(options.align_to); !file.empty()) {
    PLUMBLINE_ASSIGN(settings["template-sha256"], Sha256OfFile(file));
  }
  return settings;
}

Result<std::string> WarnIfJudgeIsBlind(const Models& models, const ScorerPlan& plan,
                                       const std::string& judge_key, std::stop_token stop) {
  QuickSelfCheckOptions options;
  options.evaluation_template = plan.evaluation_template;
  options.evaluation = plan.evaluation;
  options.model_key = judge_key;
  options.cache_dir = CacheFolder() + "/checks";
  Usage usage;
  auto checking =
      QuickSelfCheck(models.JudgeOrWriter(), std::move(options), Call{&usage, std::move(stop)});
  PLUMBLINE_ASSIGN(const std::optional<QuickSelfCheckResult> found,
                   models.executor->Run(std::move(checking)));
  return found ? found->warning : std::string();
}

}  // namespace plumbline
