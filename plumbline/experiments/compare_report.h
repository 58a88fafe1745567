// A comparison of runs as text: a table for people, JSON for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumbline/experiments/compare_runs.h"
#include "plumbline/experiments/judge_replies.h"

namespace plumbline {

/// Who judged, and how.
struct JudgeDescription {
  std::string model;
  std::string wording;  ///< The template's Spec().
  SelfEvaluationOptions evaluation;
  std::optional<JudgeQuality> quality;  ///< If it was calibrated.
};

struct CompareReport {
  JudgeDescription judge;
  ComparisonOptions options;
  Comparison comparison;
  std::vector<std::string> notes;  ///< Sentences that the reader must know.
};

/// Tables of one line a run, under who judged and over the notes.
std::string FormatCompareReport(const CompareReport& report);

/// Schema "plumbline.comparison/1" (docs/files.md), indented.
std::string CompareReportJson(const CompareReport& report);

}  // namespace plumbline
