// A flag for every field of RainOptions.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "plumbline/cli/cli_fwd.h"
#include "plumbline/procedures/rain_options.h"

namespace plumbline {

/// What flags change in a preset.
using RainChanges = std::vector<std::function<void(RainOptions&)>>;

/// Declares the flags; those that are given add to `changes`, which outlives the parsing. Help
/// shows the presets' values.
void AddRainFlags(CLI::App& app, RainChanges& changes);

/// All fields that can change an answer, by their flags' names.
nlohmann::json RainSettings(const RainOptions& options);

}  // namespace plumbline
