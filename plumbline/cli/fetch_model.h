// Gets the default model by the script scripts/fetch-model.sh, whose text is in the program.
#pragma once

#include <string>

#include "plumbline/core/result.h"

namespace plumbline {

/// Runs the script, which downloads through pip, checks and installs the model, and shows that it
/// is under way. Prints the model's path. kNotFound if there is no bash; kModelFile if a checksum
/// differs; kNetwork for anything else that fails, which the script has explained by then.
Status FetchDefaultModel(const std::string& folder);

}  // namespace plumbline
