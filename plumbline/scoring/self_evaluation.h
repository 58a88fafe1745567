// A model judges replies, its own partial ones included: it reads an evaluation prompt twice, the
// two options swapped the second time, and says which option comes next.
//
// The swap-averaged vote is the self-evaluation of RAIN (Li et al., arXiv 2309.07124, section 3);
// soft values and the content-free correction (Zhao et al., "Calibrate before use", ICML 2021) are
// what makes small models' judgements worth reading: docs/self-evaluation.md has the measurements.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"
#include "plumbline/scoring/scorer.h"
#include "plumbline/scoring/template.h"

namespace plumbline {

/// How the probabilities of the two orders become one value. With z_k the log-odds of the good
/// option in order k (corrected, scaled and shifted as below):
enum class ValueKind {
  kHard,     ///< Mean of the votes [z_k > 0], rescaled to [-1, 1]: -1, 0 or 1. RAIN's own.
  kSoft,     ///< Mean of sigmoid(z_k), rescaled to [-1, 1].
  kLogOdds,  ///< sigmoid(mean of z_k), rescaled to [-1, 1]: tanh(mean / 2).
};

/// "hard", "soft", "log-odds"; kInvalidArgument for anything else, naming the nearest.
Result<ValueKind> ParseValueKind(std::string_view name);
std::string_view ValueKindName(ValueKind kind);

/// What stands for a reply, or for a user's message, that says nothing.
inline constexpr std::string_view kContentFreeText = "N/A";

/// What is subtracted from the log-odds of each order: what the model says of a reply without
/// content.
enum class ContentFree {
  kNone,
  kTemplate,      ///< Asked once per model, after a conversation without content.
  kConversation,  ///< Asked once per conversation: removes what the user's words alone suggest.
};

/// "none", "template", "conversation".
Result<ContentFree> ParseContentFree(std::string_view name);
std::string_view ContentFreeName(ContentFree content_free);

/// z = gain * (log-odds - correction) + offset. `plumbline check` fits gain and offset by logistic
/// regression so that sigmoid(z) is a probability that can be relied on (Platt 1999).
struct Calibration {
  double gain = 1;    ///< > 0.
  double offset = 0;  ///< Nats; positive favours "good".
};

struct SelfEvaluationOptions {
  ValueKind value = ValueKind::kSoft;
  ContentFree content_free = ContentFree::kNone;
  Calibration calibration = {};
  size_t cached_conversations =
      256;  ///< >= 1; the least recently used goes first, with its values.
};

/// The judgement of one reply from the log-odds of the good option in each order, nats. Pure.
/// `correction` is subtracted order by order; empty: nothing is.
Judgement CombineOrders(std::span<const double> log_odds, std::span<const double> correction,
                        const SelfEvaluationOptions& options);

/// Thread safety: executor's thread only. The model must outlive it.
class SelfEvaluation : public Scorer {
 public:
  /// Fails with kUnsupported if the template wants a chat template that the model lacks, and with
  /// kInvalidArgument if an option is out of range. Reads nothing yet.
  static Result<std::unique_ptr<SelfEvaluation>> Create(LanguageModel& model,
                                                        EvaluationTemplate evaluation_template,
                                                        SelfEvaluationOptions options);
  ~SelfEvaluation() override;

  /// "self-evaluation harmless (soft)".
  std::string Name() const override;

  /// All replies and both orders in one Choose. Judgement::good_probabilities holds sigmoid(z_k).
  /// A reply's surrounding white space and a cut-off last UTF-8 character don't count.
  Task<Result<std::vector<Judgement>>> Score(const Dialogue& dialogue,
                                             std::vector<std::string> replies, Call call) override;

  /// The log-odds of the good option in each order, uncorrected and uncalibrated, nats:
  /// [reply][order]. Order 0 names the good option first. Cached like judgements.
  Task<Result<std::vector<std::vector<double>>>> LogOdds(Dialogue dialogue,
                                                         std::vector<std::string> replies,
                                                         Call call);

  const EvaluationTemplate& evaluation_template() const;
  const SelfEvaluationOptions& options() const;

 private:
  class Impl;
  explicit SelfEvaluation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline
