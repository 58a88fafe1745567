#include "plumbline/cli/rain_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <variant>

#include "plumbline/cli/help.h"

namespace plumbline {
namespace {

using Integer = int& (*)(RainOptions&);
using Real = double& (*)(RainOptions&);
using Switch = bool& (*)(RainOptions&);
using Lengths = std::vector<int>& (*)(RainOptions&);

/// A field and its flag.
struct RainFlag {
  const char* name;
  std::variant<Integer, Real, Switch, Lengths> field;
  const char* help;
};

constexpr auto kFlags = std::to_array<RainFlag>({
    {"rain-set-lengths", Lengths([](RainOptions& o) -> auto& { return o.set_lengths; }),
     "Tokens on an edge, by depth; the last repeats"},
    {"rain-c-puct", Real([](RainOptions& o) -> auto& { return o.c_puct; }),
     "Weight of exploration"},
    {"rain-top-tokens", Integer([](RainOptions& o) -> auto& { return o.top_tokens; }),
     "Children where an edge is one token"},
    {"rain-samples", Integer([](RainOptions& o) -> auto& { return o.samples; }),
     "Sampled children of longer edges, beside the greedy one"},
    {"rain-sample-top-k", Integer([](RainOptions& o) -> auto& { return o.sample_top_k; }),
     "Top-k of those samples"},
    {"rain-uniform-share", Real([](RainOptions& o) -> auto& { return o.uniform_share; }),
     "Of the priors at the root, so much is uniform"},
    {"rain-add-max-children", Integer([](RainOptions& o) -> auto& { return o.add.max_children; }),
     "Add no children dynamically beyond these; 0: never"},
    {"rain-add-variance", Real([](RainOptions& o) -> auto& { return o.add.variance; }),
     "Add one when the children's embeddings vary less than this for each token"},
    {"rain-add-value", Real([](RainOptions& o) -> auto& { return o.add.value; }),
     "... and the best child is below this value"},
    {"rain-similarity-threshold", Real([](RainOptions& o) -> auto& { return o.sharing.threshold; }),
     "Cosine from which siblings say the same"},
    {"rain-similarity-weight", Real([](RainOptions& o) -> auto& { return o.sharing.weight; }),
     "Such a sibling gets this times the cosine of a visit"},
    {"rain-roll-to-clause", Switch([](RainOptions& o) -> auto& { return o.roll_to_clause; }),
     "Roll on to the next punctuation mark before judging"},
    {"rain-roll-tokens", Integer([](RainOptions& o) -> auto& { return o.roll_tokens; }),
     "Roll on by at most so many tokens; 0: the answer's limit"},
    {"rain-roll-by-request", Switch([](RainOptions& o) -> auto& { return o.roll_by_request; }),
     "Roll on by the flags under Sampling, not at temperature 1"},
    {"rain-visits", Integer([](RainOptions& o) -> auto& { return o.visits; }),
     "Visits of a search"},
    {"rain-extra-visits", Integer([](RainOptions& o) -> auto& { return o.extra_visits; }),
     "... or so many more than it inherits, if that is more"},
    {"rain-stop-value", Real([](RainOptions& o) -> auto& { return o.stop_value; }),
     "Stop a search once its leader is above this value"},
    {"rain-stop-visits", Integer([](RainOptions& o) -> auto& { return o.stop_visits; }),
     "... and has more visits than this"},
    {"rain-draft-first", Switch([](RainOptions& o) -> auto& { return o.draft_first; }),
     "Write plainly, judge, and search only what is objected to"},
    {"rain-draft-tokens", Integer([](RainOptions& o) -> auto& { return o.draft_tokens; }),
     "Longest draft that is judged as one"},
    {"rain-commit-value", Real([](RainOptions& o) -> auto& { return o.commit_value; }),
     "A draft of this value is taken at once"},
    {"rain-clear-value", Real([](RainOptions& o) -> auto& { return o.clear_value; }),
     "A search ends when a leaf has this value (with drafts)"},
    {"rain-draft-prefixes", Integer([](RainOptions& o) -> auto& { return o.draft_prefixes; }),
     "Places in a bad draft that are judged to find where it goes wrong"},
    {"rain-max-searches", Integer([](RainOptions& o) -> auto& { return o.max_searches; }),
     "Searches in one answer; then drafts are taken as they are"},
    {"rain-speculate", Integer([](RainOptions& o) -> auto& { return o.speculate; }),
     "Leaves judged ahead in one batch; changes no decision"},
});

constexpr const char* kSpeculate = "rain-speculate";

std::string Show(int value) { return std::to_string(value); }
std::string Show(double value) { return fmt::format("{}", value); }
std::string Show(bool value) { return value ? "on" : "off"; }
std::string Show(const std::vector<int>& value) { return fmt::format("{}", fmt::join(value, ",")); }

std::string ValueRangeName(ValueRange range) {
  return range == ValueRange::kFixed ? "fixed" : "seen";
}

std::string SimilarityName(SimilarityUse use) {
  switch (use) {
    case SimilarityUse::kOff:
      return "off";
    case SimilarityUse::kAlways:
      return "always";
    case SimilarityUse::kWithEmbedder:
      return "with-embedder";
  }
  return "off";
}

// "Default: 16" or "Default: 16; reference: 50".
std::string Defaults(const std::string& by_default, const std::string& reference) {
  const std::string text = ". Default: " + by_default;
  return by_default == reference ? text : text + "; reference: " + reference;
}

template <typename T>
std::string DefaultsOf(T& (*field)(RainOptions&)) {
  RainOptions by_default = DefaultRain();
  RainOptions reference = ReferenceRain();
  return Defaults(Show(field(by_default)), Show(field(reference)));
}

template <typename T>
CLI::Option* AddFlag(CLI::App& app, RainChanges& changes, const RainFlag& flag,
                     T& (*field)(RainOptions&)) {
  const auto take = [&changes, field](const T& value) {
    changes.push_back([field, value](RainOptions& options) { field(options) = value; });
  };
  const std::string help = flag.help + DefaultsOf(field);
  return app.add_option_function<T>("--" + std::string(flag.name), take, help);
}

CLI::Option* AddSwitch(CLI::App& app, RainChanges& changes, const RainFlag& flag, Switch field) {
  const auto take = [&changes, field](const std::string& value) {
    const bool on = value == "on";
    changes.push_back([field, on](RainOptions& options) { field(options) = on; });
  };
  const std::string help = flag.help + DefaultsOf(field);
  return app.add_option_function<std::string>("--" + std::string(flag.name), take, help)
      ->check(OneOf({"on", "off"}));
}

struct FlagAdder {
  CLI::App& app;
  RainChanges& changes;
  const RainFlag& flag;

  CLI::Option* operator()(Integer field) const {
    return AddFlag(app, changes, flag, field)->type_name("N");
  }
  CLI::Option* operator()(Real field) const {
    return AddFlag(app, changes, flag, field)->type_name("NUM");
  }
  CLI::Option* operator()(Switch field) const {
    return AddSwitch(app, changes, flag, field)->type_name("on|off");
  }
  CLI::Option* operator()(Lengths field) const {
    return AddFlag(app, changes, flag, field)
        ->delimiter(',')
        ->type_name("N,N,...")
        ->allow_extra_args(false);
  }
};

void AddChoices(CLI::App& app, RainChanges& changes) {
  app.add_option_function<std::string>(
         "--rain-similarity",
         [&changes](const std::string& name) {
           for (const SimilarityUse use :
                {SimilarityUse::kOff, SimilarityUse::kAlways, SimilarityUse::kWithEmbedder}) {
             if (SimilarityName(use) != name) continue;
             changes.push_back([use](RainOptions& options) { options.similarity = use; });
           }
         },
         "Let siblings that say the same share values: off, always, or with-embedder (only with "
         "--embedding-model)" +
             Defaults(SimilarityName(DefaultRain().similarity),
                      SimilarityName(ReferenceRain().similarity)))
      ->check(OneOf({"off", "always", "with-embedder"}))
      ->group("RAIN")
      ->type_name("WHEN");
  app.add_option_function<std::string>(
         "--rain-value-range",
         [&changes](const std::string& name) {
           const ValueRange range = name == "fixed" ? ValueRange::kFixed : ValueRange::kSeen;
           changes.push_back([range](RainOptions& options) { options.value_range = range; });
         },
         "Values are normalised from [-1, 1] (fixed) or from those seen" +
             Defaults(ValueRangeName(DefaultRain().value_range),
                      ValueRangeName(ReferenceRain().value_range)))
      ->check(OneOf({"fixed", "seen"}))
      ->group("RAIN")
      ->type_name("RANGE");
}

}  // namespace

void AddRainFlags(CLI::App& app, RainChanges& changes) {
  AddChoices(app, changes);
  for (const RainFlag& flag : kFlags) {
    std::visit(FlagAdder{app, changes, flag}, flag.field)->group("RAIN");
  }
}

nlohmann::json RainSettings(const RainOptions& options) {
  RainOptions copy = options;
  nlohmann::json settings = {{"rain-similarity", SimilarityName(options.similarity)},
                             {"rain-value-range", ValueRangeName(options.value_range)}};
  for (const RainFlag& flag : kFlags) {
    if (std::string_view(flag.name) == kSpeculate) continue;
    std::visit([&](auto field) { settings[flag.name] = field(copy); }, flag.field);
  }
  return settings;
}

}  // namespace plumbline
