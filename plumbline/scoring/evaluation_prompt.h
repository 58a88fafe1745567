// Writes a template as the text that one model reads: a fixed part for each order of the options,
// then the conversation, then the reply, then a short ending. What changes most comes last, so
// that a growing reply re-reads only its last tokens and the ending.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/scoring/template.h"

namespace plumbline {

/// The number of orders in which a question is asked: good option first, bad option first.
inline constexpr int kOrders = 2;

/// The reply as it is judged: without surrounding white space and without a cut-off last UTF-8
/// character. Replies that agree here have the same judgement.
std::string JudgedText(std::string_view reply);

/// A template, laid out for one model. Immutable.
class EvaluationPrompt {
 public:
  /// Fails with kUnsupported if the template wants a chat template and the model has none.
  static Result<EvaluationPrompt> Create(const LanguageModel& model,
                                         const EvaluationTemplate& evaluation_template);

  /// Instruction and worked examples. Both orders have the same unless the options are named in
  /// the instruction; then the examples come in reverse in order 1, so that no verdict is always
  /// the most recent.
  const Prompt& Head(int order) const { return heads_[order]; }
  /// The turns, up to where the reply begins. System messages are left out.
  Prompt Conversation(const Dialogue& dialogue) const;
  /// `judged` is what JudgedText gives; without text there is no piece.
  Prompt Reply(std::string_view judged) const;
  /// From the reply to where the model's choice is the next token.
  const Prompt& Tail(int order) const { return tails_[order]; }

  /// What the model may say, as Choose wants it; the same in both orders.
  const std::vector<std::string>& options() const { return options_; }
  /// The index in options() of the one that means "good".
  int GoodOption(int order) const;

 private:
  explicit EvaluationPrompt(const EvaluationTemplate& evaluation_template)
      : template_(evaluation_template) {}

  void LayOutPlain();
  Status LayOutChat(const LanguageModel& model);
  std::string WithOptions(std::string text, int order) const;
  std::string Answer(bool good, int order) const;
  std::string Label(bool good, int order) const;
  std::string PlainEnding(int order) const;
  std::string ChatQuestion(int order) const;
  Dialogue ChatTurns(int order) const;
  template <typename Visit>
  void ForEachExample(int order, Visit visit) const;

  EvaluationTemplate template_;
  bool spaced_ = true;  ///< Whether a space separates the answer from what precedes it.
  std::array<Prompt, kOrders> heads_;
  std::array<Prompt, kOrders> tails_;
  std::vector<std::string> options_;
};

}  // namespace plumbline
