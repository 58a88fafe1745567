// When a search at one root has seen enough. A stopper looks at a few numbers after every visit;
// stoppers are combined, and the first that fires gives its name to the trace.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace plumbline {

/// A search at one root, after a visit.
struct SearchState {
  int root_visits = 0;              ///< fn of the root, inherited visits included.
  int leader_visits = 0;            ///< fn of the leading child; 0 without children.
  double leader_value = 0;          ///< Its q.
  std::optional<double> best_leaf;  ///< The largest value of a leaf judged since this search began.
};

/// A rule and its name.
struct Stopper {
  std::string name;
  std::function<bool(const SearchState&)> fires;
};

/// "visits": the root has `limit` whole visits.
Stopper VisitLimit(int limit);
/// "confident": the leading child has q above `value` and more than `visits` whole visits.
Stopper ConfidentLeader(double value, int visits);
/// "clear": a leaf was judged `value` or better.
Stopper ClearLeaf(double value);

/// The name of the first rule that fires, if one does.
std::optional<std::string> FirstToFire(const std::vector<Stopper>& stoppers,
                                       const SearchState& state);

/// RAIN's limit for a root that begins with `inherited` whole visits: max(visits, inherited +
/// extra).
int RainVisitLimit(int inherited, int visits, int extra);

}  // namespace plumbline
