#include "plumbline/experiments/self_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "plumbline/stats/calibration.h"
#include "plumbline/stats/rank.h"

namespace plumbline {
namespace {

using OrderValues = std::vector<double>;

constexpr int kCalibrationBins = 10;
// How many conversations are judged at once: enough to fill a batch, few enough to stay resident.
constexpr size_t kConversationsAtOnce = 4;

// One conversation of the labelled set and what the model said of the replies to it.
struct Judged {
  Dialogue dialogue;
  std::vector<std::string> replies;
  std::vector<bool> good;
  std::vector<OrderValues> log_odds;  // by reply
  OrderValues content_free;
};

// What one template's judgements cost, in tokens read.
struct Costs {
  int64_t fixed = 0;
  int64_t replies = 0;
  int64_t corrections = 0;
};

struct Measured {
  std::vector<Judged> conversations;
  OrderValues content_free;  // of the template
  Costs costs;
};

std::vector<Judged> GroupByDialogue(const std::vector<LabelledReply>& items) {
  std::vector<Judged> groups;
  for (const LabelledReply& item : items) {
    if (groups.empty() || groups.back().dialogue != item.dialogue) {
      groups.push_back({item.dialogue, {}, {}, {}, {}});
    }
    groups.back().replies.push_back(item.reply);
    groups.back().good.push_back(item.good);
  }
  return groups;
}

Task<Result<std::vector<OrderValues>>> JudgeOne(SelfEvaluation& scorer, Dialogue dialogue,
                                                std::vector<std::string> replies, Call call) {
  Result<std::vector<OrderValues>> values =
      co_await scorer.LogOdds(std::move(dialogue), std::move(replies), call);
  co_return values;
}

// Judges the content-free reply after every conversation of a slice, or the labelled replies.
Task<Status> JudgeSlice(SelfEvaluation& scorer, std::span<Judged> slice, bool content_free,
                        Call call) {
  std::vector<Task<Result<std::vector<OrderValues>>>> tasks;
  for (const Judged& judged : slice) {
    std::vector<std::string> replies = judged.replies;
    if (content_free) replies = {std::string(kContentFreeText)};
    tasks.push_back(JudgeOne(scorer, judged.dialogue, std::move(replies), call));
  }
  std::vector<Result<std::vector<OrderValues>>> answers = co_await WhenAll(std::move(tasks));
  for (size_t i = 0; i < slice.size(); ++i) {
    PLUMBLINE_CO_TRY(answers[i]);
    if (content_free) {
      slice[i].content_free = std::move(answers[i]->front());
    } else {
      slice[i].log_odds = std::move(*answers[i]);
    }
  }
  co_return Status{};
}

// Asks the model everything about one template's labelled replies; about a content-free reply
// after each conversation only if `correct` says so.
Task<Result<Measured>> Measure(SelfEvaluation& scorer, std::vector<Judged> conversations,
                               bool correct, Call call) {
  Measured measured;
  measured.conversations = std::move(conversations);
  int64_t read_before = call.usage->tokens_read;
  const auto spent = [&read_before, &call] {
    return call.usage->tokens_read - std::exchange(read_before, call.usage->tokens_read);
  };
  Dialogue neutral = {{Role::kUser, std::string(kContentFreeText)}};
  std::vector<std::string> nothing = {std::string(kContentFreeText)};
  Result<std::vector<OrderValues>> first =
      co_await JudgeOne(scorer, std::move(neutral), std::move(nothing), call);
  PLUMBLINE_CO_TRY(first);
  measured.content_free = std::move(first->front());
  measured.costs.fixed = spent();
  const std::span<Judged> all(measured.conversations);
  for (size_t start = 0; start < all.size(); start += kConversationsAtOnce) {
    const std::span<Judged> slice =
        all.subspan(start, std::min(kConversationsAtOnce, all.size() - start));
    Status replies = co_await JudgeSlice(scorer, slice, false, call);
    PLUMBLINE_CO_TRY(replies);
    measured.costs.replies += spent();
    if (!correct) continue;
    Status corrections = co_await JudgeSlice(scorer, slice, true, call);
    PLUMBLINE_CO_TRY(corrections);
    measured.costs.corrections += spent();
  }
  co_return measured;
}

const OrderValues* Correction(const Measured& measured, const Judged& judged, ContentFree kind) {
  switch (kind) {
    case ContentFree::kNone:
      return nullptr;
    case ContentFree::kTemplate:
      return &measured.content_free;
    case ContentFree::kConversation:
      return &judged.content_free;
  }
  return nullptr;
}

// The values of one template's replies under one correction, gathered for statistics.
class Tally {
 public:
  Tally(const Measured& measured, const SelfEvaluationOptions& options) {
    for (const Judged& judged : measured.conversations) {
      const OrderValues* const correction = Correction(measured, judged, options.content_free);
      std::vector<double> here[2];
      for (size_t i = 0; i < judged.replies.size(); ++i) {
        OrderValues z = judged.log_odds[i];
        for (size_t order = 0; order < z.size(); ++order) {
          z[order] -= correction == nullptr ? 0 : (*correction)[order];
        }
        here[judged.good[i]].push_back(Add(z, judged.good[i], options));
      }
      ComparePairs(here[1], here[0]);
    }
  }

  SelfCheckRow Row(double confidence) const {
    SelfCheckRow row;
    row.good = static_cast<int>(values_[1].size());
    row.bad = static_cast<int>(values_[0].size());
    row.auc = AucInterval(values_[1], values_[0], confidence);
    row.same_prompt = WilsonInterval(pair_wins_, pairs_, confidence);
    row.accuracy = WilsonInterval(right_, row.good + row.bad, confidence);
    const double replies = row.good + row.bad;
    row.first_option_rate = first_wins_ / (2 * replies);
    row.order_gap = order_gap_ / replies;
    row.calibration_error = ExpectedCalibrationError(probabilities_, outcomes_, kCalibrationBins);
    const LogisticFit fit = FitLogistic(mean_log_odds_, outcomes_);
    if (fit.slope > 0) row.calibration = {fit.slope, fit.intercept};
    return row;
  }

 private:
  // Counts one reply; z are its corrected log-odds.
  double Add(const OrderValues& z, bool good, const SelfEvaluationOptions& options) {
    const Judgement judgement = CombineOrders(z, {}, options);
    const double value = judgement.value;
    values_[good].push_back(value);
    outcomes_.push_back(good);
    probabilities_.push_back((value + 1) / 2);
    mean_log_odds_.push_back((z[0] + z[1]) / 2);
    right_ += value == 0 ? 0.5 : (value > 0) == good ? 1 : 0;
    // The good option comes first in order 0 and second in order 1.
    first_wins_ += (z[0] > 0 ? 1 : 0) + (z[1] < 0 ? 1 : 0);
    order_gap_ += std::abs(judgement.good_probabilities[0] - judgement.good_probabilities[1]);
    return value;
  }

  void ComparePairs(const std::vector<double>& good, const std::vector<double>& bad) {
    for (const double better : good) {
      for (const double worse : bad) {
        pair_wins_ += better > worse ? 1 : better == worse ? 0.5 : 0;
        ++pairs_;
      }
    }
  }

  std::array<std::vector<double>, 2> values_;  // of bad and of good replies
  std::vector<bool> outcomes_;
  std::vector<double> probabilities_, mean_log_odds_;
  double right_ = 0, first_wins_ = 0, order_gap_ = 0, pair_wins_ = 0;
  int64_t pairs_ = 0;
};

std::vector<SelfCheckRow> MakeRows(const Measured& measured, const EvaluationTemplate& wording,
                                   const SelfCheckOptions& options) {
  std::vector<SelfCheckRow> rows;
  for (const ContentFree correction : options.corrections) {
    SelfEvaluationOptions evaluation;
    evaluation.value = options.value;
    evaluation.content_free = correction;
    SelfCheckRow row = Tally(measured, evaluation).Row(options.confidence);
    row.spec = wording.Spec();
    row.criterion = wording.criterion;
    row.content_free = correction;
    row.fixed_tokens = measured.costs.fixed;
    double tokens = static_cast<double>(measured.costs.replies);
    if (correction == ContentFree::kConversation) tokens += measured.costs.corrections;
    row.tokens_per_judgement = tokens / (row.good + row.bad);
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::vector<EvaluationTemplate>> LoadWanted(const std::vector<std::string>& specs) {
  std::vector<EvaluationTemplate> wanted;
  for (const std::string& spec : specs.empty() ? BuiltInTemplateNames() : specs) {
    Result<std::vector<EvaluationTemplate>> loaded = LoadTemplates(spec);
    if (!loaded.has_value()) {
      // Perhaps it names one variant; if not, that error is the better one.
      PLUMBLINE_ASSIGN(EvaluationTemplate one, LoadTemplate(spec));
      loaded = std::vector<EvaluationTemplate>{std::move(one)};
    }
    for (EvaluationTemplate& one : *loaded) wanted.push_back(std::move(one));
  }
  return wanted;
}

Status NeedBothLabels(const std::vector<Judged>& conversations, const EvaluationTemplate& wording) {
  bool seen[2] = {false, false};
  for (const Judged& judged : conversations) {
    for (const bool good : judged.good) seen[good] = true;
  }
  if (seen[0] && seen[1]) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "template '" + wording.Spec() + "' can't be checked: no good and bad replies are " +
                  "labelled for criterion '" + wording.criterion + "'",
              "give a labelled file for it, or a [criterion] part that names a shipped set");
}

// The rows of one template, or of none if the model can't use it (said in report.skipped).
Task<Result<std::vector<SelfCheckRow>>> CheckTemplate(LanguageModel& model,
                                                      EvaluationTemplate wording,
                                                      std::vector<Judged> conversations,
                                                      const SelfCheckOptions& options, Call call) {
  PLUMBLINE_CO_ASSIGN(std::unique_ptr<SelfEvaluation> scorer,
                      SelfEvaluation::Create(model, wording, SelfEvaluationOptions{}));
  const auto& corrections = options.corrections;
  const bool correct = std::find(corrections.begin(), corrections.end(),
                                 ContentFree::kConversation) != corrections.end();
  Result<Measured> measured = co_await Measure(*scorer, std::move(conversations), correct, call);
  PLUMBLINE_CO_TRY(measured);
  co_return MakeRows(*measured, wording, options);
}

// By criterion in the order first seen, then the best first.
void Rank(std::vector<SelfCheckRow>& rows) {
  std::vector<std::string> criteria;
  for (const SelfCheckRow& row : rows) {
    if (std::find(criteria.begin(), criteria.end(), row.criterion) == criteria.end()) {
      criteria.push_back(row.criterion);
    }
  }
  const auto place = [&criteria](const SelfCheckRow& row) {
    return std::find(criteria.begin(), criteria.end(), row.criterion) - criteria.begin();
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const SelfCheckRow& a, const SelfCheckRow& b) {
    if (place(a) != place(b)) return place(a) < place(b);
    if (a.auc.estimate != b.auc.estimate) return a.auc.estimate > b.auc.estimate;
    return a.tokens_per_judgement < b.tokens_per_judgement;
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].recommended = i == 0 || rows[i].criterion != rows[i - 1].criterion;
  }
}

tl::unexpected<Error> NothingChecked(const SelfCheckReport& report) {
  if (report.skipped.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "no built-in template has the criterion of the labelled replies",
                "name the template that they are for");
  }
  return Fail(
      ErrorCode::kUnsupported,
      "model '" + report.model + "' can use none of the templates: " + report.skipped.front());
}

}  // namespace

std::vector<LabelledReply> BalancedSubset(std::vector<LabelledReply> items, int count) {
  const size_t pairs = items.size() / 2;
  const size_t wanted = static_cast<size_t>(count) / 2;
  if (count <= 0 || wanted >= pairs) return items;
  std::vector<LabelledReply> subset;
  for (size_t i = 0; i < std::max<size_t>(wanted, 1); ++i) {
    const size_t pair = i * pairs / std::max<size_t>(wanted, 1);
    subset.push_back(items[2 * pair]);
    subset.push_back(items[2 * pair + 1]);
  }
  return subset;
}

Task<Result<SelfCheckReport>> RunSelfCheck(LanguageModel& model, SelfCheckOptions options,
                                           Call call) {
  Usage usage;
  Call counted = call;
  counted.usage = &usage;
  SelfCheckReport report;
  report.model = model.info().name;
  if (options.corrections.empty()) {
    options.corrections = {ContentFree::kNone, ContentFree::kTemplate, ContentFree::kConversation};
  }
  PLUMBLINE_CO_ASSIGN(std::vector<EvaluationTemplate> wanted, LoadWanted(options.templates));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const EvaluationTemplate& wording = wanted[i];
    std::vector<LabelledReply> items = options.labelled;
    if (items.empty()) {
      PLUMBLINE_CO_ASSIGN(items, LoadCheckSet(wording.criterion));
    }
    std::erase_if(items, [&wording](const LabelledReply& item) {
      return item.criterion != wording.criterion;
    });
    items = BalancedSubset(std::move(items), options.max_items);
    std::vector<Judged> conversations = GroupByDialogue(items);
    // Of the built-in templates, only those that the user's own replies are about.
    if (options.templates.empty() && conversations.empty()) continue;
    PLUMBLINE_CO_TRY(NeedBothLabels(conversations, wording));
    Result<std::vector<SelfCheckRow>> rows =
        co_await CheckTemplate(model, wording, std::move(conversations), options, counted);
    if (!rows.has_value() && rows.error().code != ErrorCode::kUnsupported) {
      co_return FailWith(rows);
    }
    if (rows.has_value()) {
      report.rows.insert(report.rows.end(), rows->begin(), rows->end());
    } else {
      report.skipped.push_back(wording.Spec() + ": " + rows.error().message);
    }
    if (options.progress) {
      options.progress(static_cast<int>(i) + 1, static_cast<int>(wanted.size()), wording.Spec());
    }
  }
  report.usage = usage;
  if (call.usage != nullptr) *call.usage += usage;
  if (report.rows.empty()) co_return NothingChecked(report);
  Rank(report.rows);
  co_return report;
}

}  // namespace plumbline
