#include "plumbline/cli/live_search.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumbline/cli/number_format.h"
#include "plumbline/cli/terminal.h"

namespace plumbline {

void LiveSearch::TakeCandidate(int done, int total, double value) {
  best_candidate_ = done <= 1 ? value : std::max(best_candidate_, value);
  lines_ = {fmt::format("candidate {}/{}  last {}  best {}", done, total, FormatValue(value),
                        FormatValue(best_candidate_))};
}

void LiveSearch::TakeSearch(const SearchProgress& progress) {
  ++visits_;
  if (progress.visits > 1) ++rewinds_;
  const std::string counts =
      fmt::format("search {}  visit {}/{} ({} in all, {} rewinds)  depth {}  best {} ",
                  progress.commit + 1, progress.visits, progress.visit_limit, visits_, rewinds_,
                  progress.depth, FormatValue(progress.best_value));
  const std::string judged = "  judged " + FormatValue(progress.last_value) + " ";
  const auto room = [&](const std::string& before) {
    return std::max(columns_ - DisplayWidth(before) - 3, 1);
  };
  lines_ = {counts + "\"" + FitToWidth(progress.best_text, room(counts)) + "\"",
            judged + "\"" + FitToWidth(progress.rolled_text, room(judged), true) + "\""};
}

}  // namespace plumbline
