// Prompt files: whatever a line holds, it is read or refused with a message, and what was read from
// JSON is written so that it reads back the same.

#include "fuzz/fuzz_target.h"
#include "plumbline/core/check.h"
#include "plumbline/core/text.h"
#include "plumbline/data/hh_dialogue.h"
#include "plumbline/data/json_text.h"
#include "plumbline/data/prompts.h"

namespace plumbline {

std::vector<std::string> FuzzSeeds() {
  return {
      R"({"prompt":"How do I bake bread?","id":"a-1"})",
      R"({"messages":[{"role":"user","content":"Hi \u00e9\ud83d\ude00"}]})",
      R"({"chosen":"\n\nHuman: Hi\n\nAssistant: Hello","rejected":"\n\nHuman: Hi\n\nAssistant: No"})",
      "\n\nHuman: What is this?\n\nAssistant: A test.\n\nHuman: Why?\n\nAssistant: To see.",
      R"([1, -2.5e10, true, null, {"deep": [[[]]]}])",
      R"({"prompt": 1e999})",
  };
}

namespace {

void CheckText(std::string_view text) {
  const std::string valid = ToValidUtf8(text);
  PLUMBLINE_CHECK(IsValidUtf8(valid));
  PLUMBLINE_CHECK(!IsValidUtf8(text) || valid == text);
}

void CheckJson(std::string_view text) {
  const Result<nlohmann::json> json = ParseJson(text);
  if (!json) {
    PLUMBLINE_CHECK(!json.error().message.empty());
    return;
  }
  const Result<nlohmann::json> again = ParseJson(JsonLine(*json));
  PLUMBLINE_CHECK(again && *again == *json);
  const Result<PromptRecord> prompt = PromptFromJson(*json);
  PLUMBLINE_CHECK(prompt || !prompt.error().message.empty());
}

}  // namespace
}  // namespace plumbline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = plumbline::AsText(data, size);
  plumbline::CheckText(text);
  plumbline::CheckJson(text);
  const auto dialogue = plumbline::ParseHhDialogue(text);
  PLUMBLINE_CHECK(dialogue || !dialogue.error().message.empty());
  return 0;
}
