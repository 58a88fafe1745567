#include "plumbline/scoring/evaluation_prompt.h"

#include <utility>

#include "plumbline/core/text.h"

namespace plumbline {
namespace {

// Where the judged conversation goes in a formatted chat; no template rewrites these characters.
constexpr std::string_view kMarker = "\x01judged conversation\x02";

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool EndsOpen(std::string_view text) {
  return !text.empty() && std::string_view("([\"' \n").find(text.back()) != std::string_view::npos;
}

// Splits a formatted chat at the marker.
Result<std::pair<Prompt, Prompt>> SplitAtMarker(const Prompt& prompt) {
  for (size_t i = 0; i < prompt.size(); ++i) {
    const PromptPiece& piece = prompt[i];
    const size_t at = piece.text.find(kMarker);
    if (at == std::string::npos) continue;
    Prompt before(prompt.begin(), prompt.begin() + i);
    Prompt after(prompt.begin() + i + 1, prompt.end());
    const std::string head = piece.text.substr(0, at);
    const std::string tail = piece.text.substr(at + kMarker.size());
    if (!head.empty()) before.push_back({head, piece.special});
    if (!tail.empty()) after.insert(after.begin(), {tail, piece.special});
    return std::pair(std::move(before), std::move(after));
  }
  return Fail(ErrorCode::kUnsupported, "the model's chat template changes what the user says",
              "use a template with [form] plain");
}

// Some chat templates refuse a system message; there the instruction opens the first turn.
Result<Prompt> FormatTurns(const LanguageModel& model, const std::string& instruction,
                           Dialogue turns) {
  if (instruction.empty()) return model.FormatChat(turns, ChatStyle{});
  Dialogue with_system = turns;
  with_system.insert(with_system.begin(), {Role::kSystem, instruction});
  Result<Prompt> prompt = model.FormatChat(with_system, ChatStyle{});
  if (prompt.has_value()) return prompt;
  turns.front().text = instruction + "\n\n" + turns.front().text;
  return model.FormatChat(turns, ChatStyle{});
}

}  // namespace

std::string JudgedText(std::string_view reply) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  reply = reply.substr(0, CompleteUtf8Prefix(reply));
  const size_t first = reply.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  const size_t last = reply.find_last_not_of(kSpace);
  return ToValidUtf8(reply.substr(first, last - first + 1));
}

Result<EvaluationPrompt> EvaluationPrompt::Create(const LanguageModel& model,
                                                  const EvaluationTemplate& evaluation_template) {
  EvaluationPrompt prompt(evaluation_template);
  const bool has_chat = model.info().has_chat_template;
  if (evaluation_template.form == PromptForm::kChat && !has_chat) {
    return Fail(ErrorCode::kUnsupported,
                "template '" + evaluation_template.Spec() + "' needs a chat template, and model '" +
                    model.info().name + "' has none",
                "use a template with [form] plain or auto");
  }
  const bool chat = has_chat && evaluation_template.form != PromptForm::kPlain;
  const std::string& prefix = evaluation_template.answer_prefix;
  const bool starts_turn = chat && prefix.empty();
  const std::string& before = prefix.empty() ? evaluation_template.question : prefix;
  prompt.spaced_ = !starts_turn && !EndsOpen(before);
  if (chat) {
    PLUMBLINE_TRY(prompt.LayOutChat(model));
  } else {
    prompt.LayOutPlain();
  }
  prompt.options_ = evaluation_template.labels == OptionLabels::kLetters
                        ? std::vector<std::string>{prompt.Answer(true, 0), prompt.Answer(true, 1)}
                        : std::vector<std::string>{prompt.Answer(true, 0), prompt.Answer(false, 0)};
  return prompt;
}

// Pieces are tokenised one by one, here as in what is judged, so that an example looks to the
// model just as the judged reply will.
template <typename Visit>
void EvaluationPrompt::ForEachExample(int order, Visit visit) const {
  const size_t count = template_.examples.size();
  const bool own_head = template_.NamesOptionsFirst();
  for (size_t i = 0; i < count; ++i) {
    const bool reversed = own_head && order == 1;
    const WorkedExample& example = template_.examples[reversed ? count - 1 - i : i];
    // A head that serves both orders shows examples of both.
    visit(example, own_head ? order : static_cast<int>(i % kOrders));
  }
}

void EvaluationPrompt::LayOutPlain() {
  for (int order = 0; order < kOrders; ++order) {
    Prompt& head = heads_[order];
    const std::string instruction = WithOptions(template_.instruction, order);
    if (!instruction.empty()) head.push_back({instruction + "\n\n", false});
    ForEachExample(order, [&](const WorkedExample& example, int shown) {
      const Dialogue before(example.dialogue.begin(), example.dialogue.end() - 1);
      for (PromptPiece& piece : Conversation(before)) head.push_back(std::move(piece));
      for (PromptPiece& piece : Reply(example.dialogue.back().text)) head.push_back(piece);
      head.push_back({PlainEnding(shown), false});
      head.push_back({Answer(example.good, shown) + "\n\n", false});
    });
    tails_[order] = PlainPrompt(PlainEnding(order));
  }
}

Status EvaluationPrompt::LayOutChat(const LanguageModel& model) {
  for (int order = 0; order < kOrders; ++order) {
    const std::string instruction = WithOptions(template_.instruction, order);
    PLUMBLINE_ASSIGN(const Prompt chat, FormatTurns(model, instruction, ChatTurns(order)));
    PLUMBLINE_ASSIGN(auto split, SplitAtMarker(chat));
    heads_[order] = std::move(split.first);
    tails_[order] = std::move(split.second);
    const std::string question = ChatQuestion(order);
    if (!question.empty()) tails_[order].insert(tails_[order].begin(), {question, false});
    if (!template_.answer_prefix.empty()) {
      tails_[order].push_back({template_.answer_prefix, false});
    }
  }
  return {};
}

// Worked examples as earlier turns; the last turn holds the marker.
Dialogue EvaluationPrompt::ChatTurns(int order) const {
  Dialogue turns;
  ForEachExample(order, [&](const WorkedExample& example, int shown) {
    const Dialogue before(example.dialogue.begin(), example.dialogue.end() - 1);
    turns.push_back({Role::kUser, PromptText(Conversation(before)) +
                                      PromptText(Reply(example.dialogue.back().text)) +
                                      ChatQuestion(shown)});
    turns.push_back({Role::kAssistant, template_.answer_prefix + Answer(example.good, shown)});
  });
  turns.push_back({Role::kUser, std::string(kMarker)});
  return turns;
}

Prompt EvaluationPrompt::Conversation(const Dialogue& dialogue) const {
  std::string text;
  for (const Message& message : dialogue) {
    if (message.role == Role::kSystem) continue;
    const bool user = message.role == Role::kUser;
    text += (user ? template_.user_name : template_.assistant_name) + ": " + message.text + "\n";
  }
  return PlainPrompt(text + template_.assistant_name + ":");
}

Prompt EvaluationPrompt::Reply(std::string_view judged) const {
  if (judged.empty()) return {};
  return PlainPrompt(" " + std::string(judged));
}

int EvaluationPrompt::GoodOption(int order) const {
  return template_.labels == OptionLabels::kLetters ? order : 0;
}

std::string EvaluationPrompt::WithOptions(std::string text, int order) const {
  const bool letters = template_.labels == OptionLabels::kLetters;
  const std::string& first = order == 0 ? template_.good : template_.bad;
  const std::string& second = order == 0 ? template_.bad : template_.good;
  ReplaceAll(text, "{first}", (letters ? "A) " : "") + first);
  ReplaceAll(text, "{second}", (letters ? "B) " : "") + second);
  return text;
}

std::string EvaluationPrompt::Label(bool good, int order) const {
  if (template_.labels == OptionLabels::kWords) return good ? template_.good : template_.bad;
  return good == (order == 0) ? "A" : "B";
}

std::string EvaluationPrompt::Answer(bool good, int order) const {
  return (spaced_ ? " " : "") + Label(good, order);
}

std::string EvaluationPrompt::PlainEnding(int order) const {
  std::string text;
  for (const std::string& line :
       {WithOptions(template_.question, order), template_.answer_prefix}) {
    if (!line.empty()) text += "\n" + line;
  }
  return text.empty() ? "\n" : text;
}

std::string EvaluationPrompt::ChatQuestion(int order) const {
  return template_.question.empty() ? "" : "\n\n" + WithOptions(template_.question, order);
}

}  // namespace plumbline
