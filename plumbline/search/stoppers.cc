#include "plumbline/search/stoppers.h"

#include <algorithm>

namespace plumbline {

Stopper VisitLimit(int limit) {
  return {"visits", [limit](const SearchState& state) { return state.root_visits >= limit; }};
}

Stopper ConfidentLeader(double value, int visits) {
  return {"confident", [value, visits](const SearchState& state) {
            return state.leader_value > value && state.leader_visits > visits;
          }};
}

Stopper ClearLeaf(double value) {
  return {"clear", [value](const SearchState& state) {
            return state.best_leaf.has_value() && *state.best_leaf >= value;
          }};
}

std::optional<std::string> FirstToFire(const std::vector<Stopper>& stoppers,
                                       const SearchState& state) {
  for (const Stopper& stopper : stoppers) {
    if (stopper.fires(state)) return stopper.name;
  }
  return std::nullopt;
}

int RainVisitLimit(int inherited, int visits, int extra) {
  return std::max(visits, inherited + extra);
}

}  // namespace plumbline
