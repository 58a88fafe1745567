#include "plumbline/model/chat.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

TEST(PlainChat, EndsWhereTheAssistantSpeaks) {
  const Dialogue dialogue = {{Role::kSystem, "Be brief."}, {Role::kUser, "Hi"}};
  EXPECT_EQ(PromptText(FormatPlainChat(dialogue, {})), "Be brief.\n\nHuman: Hi\n\nAssistant:");
}

TEST(PlainChat, GoesOnWithAnUnfinishedReply) {
  const Dialogue dialogue = {{Role::kUser, "Hi"}, {Role::kAssistant, "Hello,"}};
  EXPECT_EQ(PromptText(FormatPlainChat(dialogue, {})), "Human: Hi\n\nAssistant: Hello,");
}

TEST(ValidateDialogue, NamesWhatIsWrong) {
  EXPECT_TRUE(ValidateDialogue({{Role::kUser, "Hi"}}).has_value());
  EXPECT_EQ(ValidateDialogue({}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(ValidateDialogue({{Role::kSystem, "only"}}).error().message, "the prompt is empty");
  EXPECT_FALSE(ValidateDialogue({{Role::kUser, "a"}, {Role::kSystem, "late"}}).has_value());
  EXPECT_FALSE(ValidateDialogue({{Role::kUser, "\xFF"}}).has_value());
}

TEST(ParseRole, KnowsThree) {
  EXPECT_EQ(ParseRole("assistant").value(), Role::kAssistant);
  EXPECT_FALSE(ParseRole("robot").has_value());
}

}  // namespace
}  // namespace plumbline
