// What a remote model answers: taken apart, or refused with a message that names the server.

#include <cmath>

#include "fuzz/fuzz_target.h"
#include "plumbline/core/check.h"
#include "plumbline/model/openai/completion_answer.h"

namespace plumbline {

std::vector<std::string> FuzzSeeds() {
  return {
      R"({"choices":[{"index":0,"text":" a b","finish_reason":"length","logprobs":{)"
      R"("tokens":[" a"," b"],"token_logprobs":[-0.5,-1.25],)"
      R"("top_logprobs":[{" a":-0.5," c":-2},{" b":-1.25}],"text_offset":[0,2]}}],)"
      R"("usage":{"prompt_tokens":4,"completion_tokens":2}})",
      R"({"choices":[{"index":0,"text":"hi","finish_reason":"stop","logprobs":{"content":[)"
      R"({"id":17,"token":"hi","bytes":[104,105],"logprob":-0.1,"top_logprobs":[)"
      R"({"id":17,"token":"hi","bytes":[104,105],"logprob":-0.1}]}]}}]})",
      R"({"error":{"message":"overloaded","type":"server_error","code":503}})",
  };
}

}  // namespace plumbline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumbline::openai::ParseCompletion;
  const auto completion = ParseCompletion(plumbline::AsText(data, size), 1, "the server");
  if (!completion) {
    PLUMBLINE_CHECK(completion.error().message.find("the server") != std::string::npos);
    return 0;
  }
  PLUMBLINE_CHECK(completion->choices.size() == 1);
  for (const auto& step : completion->choices[0].steps) {
    PLUMBLINE_CHECK(std::isfinite(step.chosen.log_prob) && step.chosen.log_prob <= 0);
  }
  return 0;
}
