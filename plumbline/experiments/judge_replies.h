// Many replies judged by one model, so that a run of judgements that is killed goes on where it
// stopped. What is kept is the judge's raw log-odds: how they become values (kind, correction,
// calibration, threshold) can be changed without asking again.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/core/task.h"
#include "plumbline/data/run_store.h"
#include "plumbline/scoring/check_set.h"
#include "plumbline/scoring/self_evaluation.h"
#include "plumbline/stats/interval.h"

namespace plumbline {

/// One question to the judge.
struct ReplyToJudge {
  std::string key;  ///< Of dialogue and reply: equal questions have equal keys.
  Dialogue dialogue;
  std::string reply;
};

/// The log-odds of the good option in each order, nats, uncorrected; by the question's key.
using LogOddsByKey = std::unordered_map<std::string, std::vector<double>>;

/// What has to be asked, each question once: the replies that were added and whatever their
/// correction needs.
class JudgingQueue {
 public:
  explicit JudgingQueue(ContentFree content_free) : content_free_(content_free) {}

  void Add(const Dialogue& dialogue, const std::string& reply);
  size_t size() const { return queue_.size(); }
  /// The questions that `known` doesn't answer.
  std::vector<ReplyToJudge> Without(const LogOddsByKey& known) const;

 private:
  void Ask(const Dialogue& dialogue, const std::string& reply);

  ContentFree content_free_;
  std::vector<ReplyToJudge> queue_;
  std::unordered_set<std::string> keys_;
};

/// The judgement of a reply that was in the queue, from answers to all of it.
Judgement JudgementOf(const Dialogue& dialogue, const std::string& reply,
                      const LogOddsByKey& log_odds, const SelfEvaluationOptions& options);

/// Hears of each answer as it is given, on the executor's thread; an error ends the judging.
using JudgedHook = std::function<Status(const ReplyToJudge&, const std::vector<double>& log_odds)>;

/// Asks the judge, several conversations at once. `judged` and `judge` outlive the task.
Task<Status> JudgeReplies(SelfEvaluation& judge, std::vector<ReplyToJudge> questions,
                          const JudgedHook& judged, Call call);

/// How well the judge does on replies whose verdict is known.
struct JudgeQuality {
  int replies = 0;
  Interval auc;             ///< How often a good reply is valued above a bad one.
  Interval accuracy;        ///< Of the sign of the value, before calibration; 0 counts half.
  Calibration calibration;  ///< Fitted to these replies by logistic regression.
};

/// From answers about all of `labelled`, which holds good and bad ones. kUnsupported if the judge
/// values bad replies above good ones, so that nothing can be fitted.
Result<JudgeQuality> MeasureJudge(std::span<const LabelledReply> labelled,
                                  const LogOddsByKey& log_odds,
                                  const SelfEvaluationOptions& options, double confidence);

/// A digest of everything in a template that the judge reads.
std::string WordingDigest(const EvaluationTemplate& wording);

/// Judgements in a results file (run_store.h): schema "plumbline.judgement/1" in docs/files.md.
class JudgementStore {
 public:
  /// Errors as RunStore::Open.
  static Result<JudgementStore> Open(const std::string& path, const nlohmann::json& settings);

  const LogOddsByKey& known() const { return known_; }
  size_t torn_bytes() const { return store_.torn_bytes(); }
  Status Append(const ReplyToJudge& question, const std::vector<double>& log_odds);

 private:
  explicit JudgementStore(RunStore store) : store_(std::move(store)) {}

  RunStore store_;
  LogOddsByKey known_;  // when it was opened
};

}  // namespace plumbline
