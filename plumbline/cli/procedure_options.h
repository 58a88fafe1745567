// The flags that choose a procedure and tune it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/cli/rain_flags.h"
#include "plumbline/core/result.h"
#include "plumbline/core/task.h"
#include "plumbline/procedures/procedure.h"
#include "plumbline/procedures/rain_options.h"

namespace plumbline {

enum class ProcedureKind { kSample, kBestOfN, kWorstOfN, kReject, kRain };

std::string_view ProcedureName(ProcedureKind kind);           ///< "best-of-n".
Result<ProcedureKind> ParseProcedure(std::string_view name);  ///< kInvalidArgument.

/// As the flags say.
struct ProcedureOptions {
  std::string procedure = "sample";
  std::string compare;  ///< Names with commas between; replaces `procedure`.
  int candidates = 8;
  double threshold = 0;
  std::string rain_preset = "default";
  RainChanges rain_changes;
};

void AddProcedureOptions(CLI::App& app, ProcedureOptions& options);

/// What is to run.
struct ProcedurePlan {
  std::vector<ProcedureKind> kinds;  ///< At least one, all different.
  int candidates = 8;
  double threshold = 0;
  RainOptions rain;

  bool Has(ProcedureKind kind) const;
  bool NeedsScorer() const;  ///< Whether any of the procedures asks one.
};

/// kInvalidArgument, naming the flag, for values out of range.
Result<ProcedurePlan> PlanProcedures(const ProcedureOptions& options);

/// What determines answers, for the header of a results file.
nlohmann::json ProcedureSettings(const ProcedurePlan& plan);

/// Runs one procedure.
Task<Result<Answer>> RunProcedure(const ProcedurePlan& plan, ProcedureKind kind,
                                  ProcedureInput input);

}  // namespace plumbline
