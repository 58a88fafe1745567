#include "plumbline/scoring/self_evaluation.h"

#include <array>
#include <cmath>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>

#include "plumbline/core/text.h"
#include "plumbline/scoring/evaluation_prompt.h"

namespace plumbline {
namespace {

using OrderValues = std::array<double, kOrders>;

const std::vector<std::string> kValueKinds = {"hard", "soft", "log-odds"};
const std::vector<std::string> kContentFrees = {"none", "template", "conversation"};

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Vote(double log_odds) { return log_odds > 0 ? 1 : log_odds < 0 ? 0 : 0.5; }

Result<int> ParseName(std::string_view what, std::string_view name,
                      const std::vector<std::string>& names) {
  std::string known;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
    known += (i == 0 ? "" : ", ") + names[i];
  }
  const std::string nearest = NearestName(name, names);
  return Fail(ErrorCode::kInvalidArgument,
              "unknown " + std::string(what) + " '" + std::string(name) + "'" +
                  (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"),
              "one of: " + known);
}

// Equal for equal dialogues only.
std::string DialogueKey(const Dialogue& dialogue) {
  std::string key;
  for (const Message& message : dialogue) {
    key += std::to_string(static_cast<int>(message.role)) + ' ' +
           std::to_string(message.text.size()) + ' ' + message.text;
  }
  return key;
}

// Where a conversation ends in each order's prompt, and what was said of replies to it. The
// branches are held so that their keys and values stay warm.
struct Conversation {
  std::array<Branch, kOrders> ends;
  std::unordered_map<std::string, OrderValues> log_odds;  // by JudgedText
};

using ConversationPtr = std::shared_ptr<Conversation>;

// The conversations asked about most recently.
class ConversationCache {
 public:
  explicit ConversationCache(size_t capacity) : capacity_(capacity) {}

  ConversationPtr Find(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
  }

  void Insert(std::string key, ConversationPtr conversation) {
    recent_.emplace_front(key, std::move(conversation));
    by_key_[std::move(key)] = recent_.begin();
    if (recent_.size() <= capacity_) return;
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }

 private:
  using Entries = std::list<std::pair<std::string, ConversationPtr>>;
  size_t capacity_;
  Entries recent_;  // most recent first
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

// One reply to one conversation.
struct Question {
  ConversationPtr conversation;
  std::string reply;
};

}  // namespace

Result<ValueKind> ParseValueKind(std::string_view name) {
  PLUMBLINE_ASSIGN(const int kind, ParseName("value", name, kValueKinds));
  return static_cast<ValueKind>(kind);
}

std::string_view ValueKindName(ValueKind kind) { return kValueKinds[static_cast<int>(kind)]; }

Result<ContentFree> ParseContentFree(std::string_view name) {
  PLUMBLINE_ASSIGN(const int kind, ParseName("content-free correction", name, kContentFrees));
  return static_cast<ContentFree>(kind);
}

std::string_view ContentFreeName(ContentFree content_free) {
  return kContentFrees[static_cast<int>(content_free)];
}

Judgement CombineOrders(std::span<const double> log_odds, std::span<const double> correction,
                        const SelfEvaluationOptions& options) {
  Judgement judgement;
  double sum = 0;
  double votes = 0;
  for (size_t order = 0; order < log_odds.size(); ++order) {
    const double corrected = log_odds[order] - (correction.empty() ? 0 : correction[order]);
    const double z = options.calibration.gain * corrected + options.calibration.offset;
    judgement.good_probabilities.push_back(Sigmoid(z));
    votes += options.value == ValueKind::kHard ? Vote(z) : Sigmoid(z);
    sum += z;
  }
  const double orders = static_cast<double>(log_odds.size());
  const double good = options.value == ValueKind::kLogOdds ? Sigmoid(sum / orders) : votes / orders;
  judgement.value = 2 * good - 1;
  return judgement;
}

class SelfEvaluation::Impl {
 public:
  Impl(LanguageModel& model, EvaluationTemplate evaluation_template, EvaluationPrompt prompt,
       SelfEvaluationOptions options)
      : model_(model),
        template_(std::move(evaluation_template)),
        prompt_(std::move(prompt)),
        options_(options),
        conversations_(options.cached_conversations) {}

  const EvaluationTemplate& evaluation_template() const { return template_; }
  const SelfEvaluationOptions& options() const { return options_; }

  Task<Result<std::vector<Judgement>>> Score(Dialogue dialogue, std::vector<std::string> replies,
                                             Call call) {
    PLUMBLINE_CO_ASSIGN(std::vector<Question> questions, AskAbout(dialogue, replies));
    PLUMBLINE_CO_TRY(AddContentFree(questions));
    Status answered = co_await Answer(questions, call);
    PLUMBLINE_CO_TRY(answered);
    OrderValues correction = {};
    if (options_.content_free != ContentFree::kNone) {
      correction = LogOddsOf(questions.back());
      questions.pop_back();
    }
    std::vector<Judgement> judgements;
    for (const Question& question : questions) {
      judgements.push_back(CombineOrders(LogOddsOf(question), correction, options_));
    }
    co_return judgements;
  }

  Task<Result<std::vector<std::vector<double>>>> LogOdds(Dialogue dialogue,
                                                         std::vector<std::string> replies,
                                                         Call call) {
    PLUMBLINE_CO_ASSIGN(std::vector<Question> questions, AskAbout(dialogue, replies));
    Status answered = co_await Answer(questions, call);
    PLUMBLINE_CO_TRY(answered);
    std::vector<std::vector<double>> values;
    for (const Question& question : questions) {
      const OrderValues& of_reply = LogOddsOf(question);
      values.emplace_back(of_reply.begin(), of_reply.end());
    }
    co_return values;
  }

 private:
  Result<std::vector<Question>> AskAbout(const Dialogue& dialogue,
                                         const std::vector<std::string>& replies) {
    std::vector<Question> questions;
    PLUMBLINE_ASSIGN(const ConversationPtr conversation, Find(dialogue));
    for (const std::string& reply : replies) questions.push_back({conversation, JudgedText(reply)});
    return questions;
  }

  // Appends the question whose answer is subtracted, if there is one.
  Status AddContentFree(std::vector<Question>& questions) {
    if (options_.content_free == ContentFree::kNone || questions.empty()) return {};
    ConversationPtr conversation = questions.front().conversation;
    if (options_.content_free == ContentFree::kTemplate) {
      if (neutral_ == nullptr) {
        PLUMBLINE_ASSIGN(neutral_, Open({{Role::kUser, std::string(kContentFreeText)}}));
      }
      conversation = neutral_;
    }
    questions.push_back({std::move(conversation), std::string(kContentFreeText)});
    return {};
  }

  // Everything that isn't known yet, in one Choose.
  Task<Status> Answer(const std::vector<Question>& questions, Call call) {
    std::vector<Question> unknown;
    std::vector<Branch> branches;
    PLUMBLINE_CO_TRY(Prepare(questions, unknown, branches));
    if (unknown.empty()) co_return Status{};
    std::vector<std::string> options = prompt_.options();
    Result<std::vector<std::vector<double>>> chosen =
        co_await model_.Choose(std::move(branches), std::move(options), call);
    PLUMBLINE_CO_TRY(chosen);
    for (size_t i = 0; i < unknown.size(); ++i) {
      OrderValues values;
      for (int order = 0; order < kOrders; ++order) {
        const std::vector<double>& log_probs = (*chosen)[i * kOrders + order];
        const int good = prompt_.GoodOption(order);
        values[order] = log_probs[good] - log_probs[1 - good];
      }
      unknown[i].conversation->log_odds[unknown[i].reply] = values;
    }
    co_return Status{};
  }

  // The distinct questions without an answer, and where to ask them: [question][order] in a row.
  Status Prepare(const std::vector<Question>& questions, std::vector<Question>& unknown,
                 std::vector<Branch>& branches) {
    std::map<std::pair<Conversation*, std::string>, bool> seen;
    for (const Question& question : questions) {
      if (question.conversation->log_odds.contains(question.reply)) continue;
      const auto key = std::pair(question.conversation.get(), question.reply);
      if (!seen.emplace(key, true).second) continue;
      for (int order = 0; order < kOrders; ++order) {
        PLUMBLINE_ASSIGN(const Branch reply, model_.Append(question.conversation->ends[order],
                                                           prompt_.Reply(question.reply)));
        PLUMBLINE_ASSIGN(Branch end, model_.Append(reply, prompt_.Tail(order)));
        branches.push_back(std::move(end));
      }
      unknown.push_back(question);
    }
    return {};
  }

  const OrderValues& LogOddsOf(const Question& question) const {
    return question.conversation->log_odds.at(question.reply);
  }

  Result<ConversationPtr> Find(const Dialogue& dialogue) {
    std::string key = DialogueKey(dialogue);
    if (ConversationPtr found = conversations_.Find(key)) return found;
    PLUMBLINE_ASSIGN(ConversationPtr opened, Open(dialogue));
    conversations_.Insert(std::move(key), opened);
    return opened;
  }

  Result<ConversationPtr> Open(const Dialogue& dialogue) {
    PLUMBLINE_TRY(ValidateDialogue(dialogue));
    auto conversation = std::make_shared<Conversation>();
    const Prompt turns = prompt_.Conversation(dialogue);
    for (int order = 0; order < kOrders; ++order) {
      if (prompt_.Head(order).empty()) {
        PLUMBLINE_ASSIGN(conversation->ends[order], model_.Open(turns));
        continue;
      }
      if (!heads_[order].valid()) {
        PLUMBLINE_ASSIGN(heads_[order], model_.Open(prompt_.Head(order)));
      }
      PLUMBLINE_ASSIGN(conversation->ends[order], model_.Append(heads_[order], turns));
    }
    return conversation;
  }

  LanguageModel& model_;
  EvaluationTemplate template_;
  EvaluationPrompt prompt_;
  SelfEvaluationOptions options_;
  ConversationCache conversations_;
  std::array<Branch, kOrders> heads_;  // opened when first used, then held
  ConversationPtr neutral_;            // a conversation without content, likewise
};

Result<std::unique_ptr<SelfEvaluation>> SelfEvaluation::Create(
    LanguageModel& model, EvaluationTemplate evaluation_template, SelfEvaluationOptions options) {
  if (!(options.calibration.gain > 0) || !std::isfinite(options.calibration.gain) ||
      !std::isfinite(options.calibration.offset)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a calibration needs a positive gain and a finite offset");
  }
  if (options.cached_conversations < 1) {
    return Fail(ErrorCode::kInvalidArgument, "cached_conversations must be at least 1");
  }
  PLUMBLINE_ASSIGN(EvaluationPrompt prompt, EvaluationPrompt::Create(model, evaluation_template));
  auto impl =
      std::make_unique<Impl>(model, std::move(evaluation_template), std::move(prompt), options);
  return std::unique_ptr<SelfEvaluation>(new SelfEvaluation(std::move(impl)));
}

SelfEvaluation::SelfEvaluation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SelfEvaluation::~SelfEvaluation() = default;

std::string SelfEvaluation::Name() const {
  return "self-evaluation " + impl_->evaluation_template().Spec() + " (" +
         std::string(ValueKindName(impl_->options().value)) + ")";
}

Task<Result<std::vector<Judgement>>> SelfEvaluation::Score(const Dialogue& dialogue,
                                                           std::vector<std::string> replies,
                                                           Call call) {
  return impl_->Score(dialogue, std::move(replies), std::move(call));
}

Task<Result<std::vector<std::vector<double>>>> SelfEvaluation::LogOdds(
    Dialogue dialogue, std::vector<std::string> replies, Call call) {
  return impl_->LogOdds(std::move(dialogue), std::move(replies), std::move(call));
}

const EvaluationTemplate& SelfEvaluation::evaluation_template() const {
  return impl_->evaluation_template();
}

const SelfEvaluationOptions& SelfEvaluation::options() const { return impl_->options(); }

}  // namespace plumbline
