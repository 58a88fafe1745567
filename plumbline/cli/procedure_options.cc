#include "plumbline/cli/procedure_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "plumbline/cli/help.h"
#include "plumbline/core/text.h"
#include "plumbline/procedures/best_of_n.h"
#include "plumbline/procedures/rain.h"
#include "plumbline/procedures/reject.h"
#include "plumbline/procedures/sample.h"

namespace plumbline {
namespace {

constexpr const char* kGroup = "Procedure";

constexpr std::array kKinds = {ProcedureKind::kSample, ProcedureKind::kBestOfN,
                               ProcedureKind::kWorstOfN, ProcedureKind::kReject,
                               ProcedureKind::kRain};

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const ProcedureKind kind : kKinds) names.emplace_back(ProcedureName(kind));
  return names;
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

Result<std::vector<ProcedureKind>> KindsOf(const ProcedureOptions& options) {
  const bool one = options.compare.empty();
  std::vector<ProcedureKind> kinds;
  for (const std::string& name : SplitAtCommas(one ? options.procedure : options.compare)) {
    PLUMBLINE_ASSIGN(const ProcedureKind kind, ParseProcedure(name));
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
      return Fail(ErrorCode::kInvalidArgument, "--compare names '" + name + "' twice");
    }
    kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace

std::string_view ProcedureName(ProcedureKind kind) {
  switch (kind) {
    case ProcedureKind::kSample:
      return "sample";
    case ProcedureKind::kBestOfN:
      return "best-of-n";
    case ProcedureKind::kWorstOfN:
      return "worst-of-n";
    case ProcedureKind::kReject:
      return "reject";
    case ProcedureKind::kRain:
      return "rain";
  }
  return "sample";
}

Result<ProcedureKind> ParseProcedure(std::string_view name) {
  for (const ProcedureKind kind : kKinds) {
    if (name == ProcedureName(kind)) return kind;
  }
  const std::string nearest = NearestName(name, Names());
  return Fail(ErrorCode::kInvalidArgument, "unknown procedure '" + std::string(name) + "'",
              nearest.empty() ? "known: sample, best-of-n, worst-of-n, reject, rain"
                              : "did you mean '" + nearest + "'?");
}

void AddProcedureOptions(CLI::App& app, ProcedureOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group(kGroup); };
  CLI::Option* one = group(
      app.add_option("-p,--procedure", options.procedure,
                     "sample: plain sampling; best-of-n: the best of N answers by the judge; "
                     "worst-of-n: the worst; reject: draw until one reaches --threshold; rain: "
                     "search with rewinding"));
  one->check(OneOf(Names()))->type_name("NAME")->capture_default_str();
  group(app.add_option("--compare", options.compare,
                       "Run several procedures on each prompt and show them side by side"))
      ->excludes(one)
      ->type_name("NAME,NAME,...");
  group(app.add_option("-n,--candidates", options.candidates,
                       "Answers that best-of-n, worst-of-n and reject draw (at most)"))
      ->check(CLI::Range(1, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--threshold", options.threshold,
                       "reject: the value, in [-1, 1], that is good enough"))
      ->check(CLI::Range(-1.0, 1.0).description(""))
      ->type_name("VALUE")
      ->capture_default_str();
  group(app.add_option("--rain-preset", options.rain_preset,
                       "default: write plainly and search where the judge objects; reference: the "
                       "published search, decision for decision (with --value hard)"))
      ->check(OneOf({"default", "reference"}))
      ->type_name("PRESET")
      ->capture_default_str();
  AddRainFlags(app, options.rain_changes);
}

bool ProcedurePlan::Has(ProcedureKind kind) const {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool ProcedurePlan::NeedsScorer() const {
  return std::any_of(kinds.begin(), kinds.end(),
                     [](ProcedureKind kind) { return kind != ProcedureKind::kSample; });
}

Result<ProcedurePlan> PlanProcedures(const ProcedureOptions& options) {
  ProcedurePlan plan;
  PLUMBLINE_ASSIGN(plan.kinds, KindsOf(options));
  plan.candidates = options.candidates;
  plan.threshold = options.threshold;
  PLUMBLINE_ASSIGN(plan.rain, RainPreset(options.rain_preset));
  for (const auto& change : options.rain_changes) change(plan.rain);
  PLUMBLINE_TRY(ValidateRainOptions(plan.rain));
  return plan;
}

nlohmann::json ProcedureSettings(const ProcedurePlan& plan) {
  nlohmann::json names = nlohmann::json::array();
  for (const ProcedureKind kind : plan.kinds) names.push_back(ProcedureName(kind));
  nlohmann::json settings = {{"procedures", names}};
  if (plan.Has(ProcedureKind::kRain)) settings.update(RainSettings(plan.rain));
  if (plan.Has(ProcedureKind::kReject)) settings["threshold"] = plan.threshold;
  const bool draws_many = plan.Has(ProcedureKind::kReject) || plan.Has(ProcedureKind::kBestOfN) ||
                          plan.Has(ProcedureKind::kWorstOfN);
  if (draws_many) settings["candidates"] = plan.candidates;
  return settings;
}

Task<Result<Answer>> RunProcedure(const ProcedurePlan& plan, ProcedureKind kind,
                                  ProcedureInput input) {
  switch (kind) {
    case ProcedureKind::kSample:
      return Sample(std::move(input));
    case ProcedureKind::kBestOfN:
    case ProcedureKind::kWorstOfN: {
      BestOfNOptions options;
      options.n = plan.candidates;
      options.worst = kind == ProcedureKind::kWorstOfN;
      return BestOfN(std::move(input), options);
    }
    case ProcedureKind::kReject: {
      RejectOptions options;
      options.threshold = plan.threshold;
      options.max_candidates = plan.candidates;
      return Reject(std::move(input), options);
    }
    case ProcedureKind::kRain:
      break;
  }
  return Rain(std::move(input), plan.rain);
}

}  // namespace plumbline
