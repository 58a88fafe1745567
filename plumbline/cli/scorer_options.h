// The flags that say what a good answer is, and who judges.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/cli/model_options.h"
#include "plumbline/core/result.h"
#include "plumbline/scoring/self_evaluation.h"

namespace plumbline {

struct ScorerOptions {
  std::string align_to = "harmless";  ///< A template: built-in name or file, with ":VARIANT".
  std::string value;                  ///< Empty: the procedures decide.
  std::string content_free = "none";
  bool skip_check = false;  ///< Don't ask whether the judge is better than chance.
};

void AddScorerOptions(CLI::App& app, ScorerOptions& options);

/// The template and how its answers become values, ready to be used.
struct ScorerPlan {
  EvaluationTemplate evaluation_template;
  SelfEvaluationOptions evaluation;
};

/// `default_value`: what --value means when it isn't given.
Result<ScorerPlan> PlanScorer(const ScorerOptions& options, ValueKind default_value);

/// What determines values, for the header of a results file; a template file by its content.
Result<nlohmann::json> ScorerSettings(const ScorerOptions& options, const ScorerPlan& plan);

/// Asks the judge about a few replies whose verdict is known, or recalls its answers from an
/// earlier run. A sentence that warns if it is no better than chance; else empty.
Result<std::string> WarnIfJudgeIsBlind(const Models& models, const ScorerPlan& plan,
                                       const std::string& judge_key, std::stop_token stop);

}  // namespace plumbline
