// Can this model judge? Asks it about replies whose verdict is known, template by template
// (`plumbline check`), or about a few of them before a search relies on it (QuickSelfCheck).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/core/task.h"
#include "plumbline/model/language_model.h"
#include "plumbline/scoring/check_set.h"
#include "plumbline/scoring/self_evaluation.h"
#include "plumbline/stats/interval.h"

namespace plumbline {

struct SelfCheckOptions {
  /// What to check: names of built-in templates (all their variants), "NAME:VARIANT", or files.
  /// Empty: every built-in one.
  std::vector<std::string> templates;
  int max_items = 0;  ///< Replies per criterion, 0 for all: a balanced subset, spread over the set.
  /// How values are made; rows are computed for each of these. Empty: all three.
  std::vector<ContentFree> corrections;
  ValueKind value = ValueKind::kSoft;
  double confidence = 0.95;             ///< Of all intervals.
  std::vector<LabelledReply> labelled;  ///< Judge these instead of the shipped set.
  /// Called after each template: how many are done, of how many, and which.
  std::function<void(int done, int total, const std::string& spec)> progress;
};

/// How well one wording serves the model.
struct SelfCheckRow {
  std::string spec;  ///< "harmless:letters", as --align-to takes it.
  std::string criterion;
  ContentFree content_free = ContentFree::kNone;
  int good = 0;  ///< Replies judged that are good; and bad.
  int bad = 0;
  Interval auc;  ///< Probability that a good reply is valued above a bad one.
  /// The same within one conversation: how often, of two replies to it, the good one is valued
  /// above the bad one. What a search compares.
  Interval same_prompt;
  Interval accuracy;             ///< Of the sign of the value, uncalibrated; 0 counts half.
  double first_option_rate = 0;  ///< How often the first option wins, over both orders; 0.5: fair.
  double order_gap = 0;  ///< Mean |p_1 - p_2| of the good option between the orders, [0, 1].
  double calibration_error = 0;  ///< Expected calibration error of (value + 1) / 2, 10 bins.
  /// Fitted to these replies by logistic regression; gain 1 and offset 0 if that would be negative.
  Calibration calibration;
  /// Tokens read for one judgement, the conversation's share and the correction included. Replies
  /// of a search share more with each other, and cost less.
  double tokens_per_judgement = 0;
  int64_t fixed_tokens = 0;  ///< Read once per model, before the first judgement.
  bool recommended = false;  ///< The best of its criterion (largest AUC, then fewer tokens).

  /// Whether the interval's lower end is above chance.
  bool BetterThanChance() const { return auc.low > 0.5; }
};

/// A balanced subset of about `count` items (0: all), spread evenly. Items come in good-bad pairs.
std::vector<LabelledReply> BalancedSubset(std::vector<LabelledReply> items, int count);

struct SelfCheckReport {
  std::string model;
  std::vector<SelfCheckRow> rows;    ///< By criterion, best first.
  std::vector<std::string> skipped;  ///< "SPEC: why": wordings that this model can't use.
  Usage usage;
};

/// Judges the labelled set with every template asked for. Fails if none could be used.
Task<Result<SelfCheckReport>> RunSelfCheck(LanguageModel& model, SelfCheckOptions options,
                                           Call call);

/// The report as an aligned text table with one line a row, and the recommendation under it.
std::string FormatSelfCheck(const SelfCheckReport& report);

/// The report as JSON (schema "plumbline.self-check", version 1).
std::string SelfCheckJson(const SelfCheckReport& report);

struct QuickSelfCheckOptions {
  EvaluationTemplate evaluation_template;
  SelfEvaluationOptions evaluation;
  std::string model_key;  ///< Names the model's content: its file's hash. Empty: don't cache.
  std::string cache_dir;  ///< Where results are kept. Empty: don't cache.
  int items = 32;         ///< >= 8; half of them good.
};

struct QuickSelfCheckResult {
  Interval auc;
  bool from_cache = false;
  std::string warning;      ///< One sentence if the pair is no better than chance, else empty.
  Calibration calibration;  ///< Fitted on the items; for reports, not applied.
};

/// A cheap check of one model with one template, run once and remembered. nullopt if no labelled
/// set fits the template's criterion.
Task<Result<std::optional<QuickSelfCheckResult>>> QuickSelfCheck(LanguageModel& model,
                                                                 QuickSelfCheckOptions options,
                                                                 Call call);

}  // namespace plumbline
