// An answer as one JSON object, schema "plumbline.answer/1" (docs/files.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "plumbline/cli/job.h"

namespace plumbline {

/// What an object says beside the answer itself.
struct AnswerContext {
  const ModelInfo* model = nullptr;
  std::string scorer;  ///< Its name; empty if there is none.
  uint64_t seed = 0;
};

/// Of a job that has an answer.
nlohmann::ordered_json AnswerJson(const JobResult& result, const AnswerContext& context);

}  // namespace plumbline
