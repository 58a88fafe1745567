#include "plumbline/scoring/evaluation_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/model/scripted/scripted_model.h"

namespace plumbline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ScriptedOptions AnyScript() {
  ScriptedOptions options;
  options.words = {"x"};
  options.logits = HashedLogits(1, 1);
  return options;
}

// A model with a chat template; one that refuses system messages if asked to.
class ChatModel : public ScriptedModel {
 public:
  explicit ChatModel(bool takes_system = true)
      : ScriptedModel(AnyScript()), takes_system_(takes_system) {
    info_ = ScriptedModel::info();
    info_.has_chat_template = true;
  }
  const ModelInfo& info() const override { return info_; }
  Result<Prompt> FormatChat(const Dialogue& dialogue, const ChatStyle&) const override {
    Prompt prompt;
    for (const Message& message : dialogue) {
      if (message.role == Role::kSystem && !takes_system_) {
        return Fail(ErrorCode::kUnsupported, "no system messages");
      }
      prompt.push_back({"<" + std::string(RoleName(message.role)) + ">", true});
      prompt.push_back({message.text, false});
      prompt.push_back({"</>", true});
    }
    prompt.push_back({"<assistant>", true});
    return prompt;
  }

 private:
  bool takes_system_;
  ModelInfo info_;
};

ScriptedModel PlainModel() { return ScriptedModel(AnyScript()); }

EvaluationTemplate Polite() {
  EvaluationTemplate polite;
  polite.name = "polite";
  polite.instruction = "Say {first} or {second}.";
  polite.good = "polite";
  polite.bad = "rude";
  polite.answer_prefix = "Verdict:";
  polite.examples = {{{{Role::kUser, "Hi"}, {Role::kAssistant, "Hello"}}, true},
                     {{{Role::kUser, "Hm"}, {Role::kAssistant, "Shut up"}}, false}};
  return polite;
}

EvaluationPrompt MakePrompt(const LanguageModel& model, const EvaluationTemplate& wording) {
  Result<EvaluationPrompt> prompt = EvaluationPrompt::Create(model, wording);
  EXPECT_TRUE(prompt.has_value());
  return *prompt;
}

TEST(EvaluationPrompt, WritesPlainTextWithTheOptionsFirst) {
  const EvaluationPrompt prompt = MakePrompt(PlainModel(), Polite());
  EXPECT_EQ(PromptText(prompt.Head(0)),
            "Say polite or rude.\n\n"
            "User: Hi\nAssistant: Hello\nVerdict: polite\n\n"
            "User: Hm\nAssistant: Shut up\nVerdict: rude\n\n");
  EXPECT_EQ(PromptText(prompt.Head(1)),
            "Say rude or polite.\n\n"
            "User: Hm\nAssistant: Shut up\nVerdict: rude\n\n"
            "User: Hi\nAssistant: Hello\nVerdict: polite\n\n");
  EXPECT_EQ(PromptText(prompt.Tail(0)), "\nVerdict:");
  EXPECT_EQ(prompt.Tail(0), prompt.Tail(1));
  EXPECT_THAT(prompt.options(), ElementsAre(" polite", " rude"));
  EXPECT_EQ(prompt.GoodOption(1), 0);
}

TEST(EvaluationPrompt, WithTheOptionsLastBothOrdersShareTheHead) {
  EvaluationTemplate wording = Polite();
  wording.instruction = "Judge.";
  wording.question = "{first}\n{second}";
  wording.answer_prefix = "The answer is (";
  wording.labels = OptionLabels::kLetters;
  const EvaluationPrompt prompt = MakePrompt(PlainModel(), wording);
  EXPECT_EQ(prompt.Head(0), prompt.Head(1));
  EXPECT_EQ(PromptText(prompt.Head(0)),
            "Judge.\n\n"
            "User: Hi\nAssistant: Hello\nA) polite\nB) rude\nThe answer is (A\n\n"
            "User: Hm\nAssistant: Shut up\nA) rude\nB) polite\nThe answer is (A\n\n");
  EXPECT_EQ(PromptText(prompt.Tail(1)), "\nA) rude\nB) polite\nThe answer is (");
  EXPECT_THAT(prompt.options(), ElementsAre("A", "B"));
  EXPECT_EQ(prompt.GoodOption(0), 0);
  EXPECT_EQ(prompt.GoodOption(1), 1);
}

TEST(EvaluationPrompt, UsesTheChatTemplateWithExamplesAsTurns) {
  EvaluationTemplate wording = Polite();
  wording.examples.pop_back();
  wording.question = "Well?";
  const EvaluationPrompt prompt = MakePrompt(ChatModel(), wording);
  EXPECT_EQ(PromptText(prompt.Head(0)),
            "<system>Say polite or rude.</>"
            "<user>User: Hi\nAssistant: Hello\n\nWell?</>"
            "<assistant>Verdict: polite</><user>");
  EXPECT_EQ(PromptText(prompt.Tail(0)), "\n\nWell?</><assistant>Verdict:");
  EXPECT_FALSE(prompt.Tail(0).front().special);
  EXPECT_TRUE(prompt.Tail(0)[1].special);
}

TEST(EvaluationPrompt, AnAnswerThatOpensATurnHasNoSpace) {
  EvaluationTemplate wording = Polite();
  wording.answer_prefix = "";
  EXPECT_THAT(MakePrompt(ChatModel(), wording).options(), ElementsAre("polite", "rude"));
  wording.form = PromptForm::kPlain;
  EXPECT_THAT(MakePrompt(ChatModel(), wording).options(), ElementsAre(" polite", " rude"));
}

TEST(EvaluationPrompt, PutsTheInstructionInTheFirstTurnIfSystemMessagesAreRefused) {
  EvaluationTemplate wording = Polite();
  wording.examples.clear();
  const EvaluationPrompt prompt = MakePrompt(ChatModel(false), wording);
  EXPECT_EQ(PromptText(prompt.Head(0)), "<user>Say polite or rude.\n\n");
}

TEST(EvaluationPrompt, NeedsAChatTemplateForAChatWording) {
  EvaluationTemplate wording = Polite();
  wording.form = PromptForm::kChat;
  const Result<EvaluationPrompt> prompt = EvaluationPrompt::Create(PlainModel(), wording);
  ASSERT_FALSE(prompt.has_value());
  EXPECT_EQ(prompt.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(prompt.error().message, HasSubstr("needs a chat template"));
}

TEST(EvaluationPrompt, TheConversationLeavesSystemMessagesOut) {
  const EvaluationPrompt prompt = MakePrompt(PlainModel(), Polite());
  const Dialogue dialogue = {{Role::kSystem, "Be brief."}, {Role::kUser, "Hi"}};
  EXPECT_EQ(PromptText(prompt.Conversation(dialogue)), "User: Hi\nAssistant:");
  EXPECT_EQ(PromptText(prompt.Reply("Yes,")), " Yes,");
  EXPECT_TRUE(prompt.Reply("").empty());
}

TEST(JudgedText, DropsWhatDoesNotCount) {
  EXPECT_EQ(JudgedText("  Yes, \n"), "Yes,");
  EXPECT_EQ(JudgedText(" \n "), "");
  EXPECT_EQ(JudgedText("na\xC3\xAFv\xC3"), "na\xC3\xAFv");
  EXPECT_EQ(JudgedText("a\xFF z"), "a\xEF\xBF\xBD z");
}

}  // namespace
}  // namespace plumbline
