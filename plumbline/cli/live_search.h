// The search in two lines.
#pragma once

#include <string>
#include <vector>

#include "plumbline/procedures/procedure.h"

namespace plumbline {

/// Keeps what the status lines say about one running procedure.
class LiveSearch {
 public:
  explicit LiveSearch(int columns) : columns_(columns) {}

  void TakeCandidate(int done, int total, double value);
  void TakeSearch(const SearchProgress& progress);

  /// One or two lines of at most the given columns; none before there is anything to say.
  std::vector<std::string> Lines() const { return lines_; }

 private:
  int columns_;
  int visits_ = 0;   // in all
  int rewinds_ = 0;  // visits that went back to the root of the search
  double best_candidate_ = -1;
  std::vector<std::string> lines_;
};

}  // namespace plumbline
