// How the draws of one Continue are dealt out to requests, part by part.
#pragma once

#include <string>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/model/openai/path.h"

namespace plumbline::openai {

/// One request: draws by the same rule from the same position.
struct DrawJob {
  Draw draw;  ///< The first of them; its key gives the seed of all.
  PathPtr path;
  TokenSet so_far;             ///< What earlier parts drew; empty if there are several draws.
  std::vector<size_t> places;  ///< Which draws, in order.

  bool greedy() const { return draw.greedy || draw.sampling.temperature == 0; }
  /// Completions that are asked for. Greedy draws are all the same, so one answers them.
  size_t count() const { return greedy() ? 1 : places.size(); }
  /// The draws that a completion answers.
  std::vector<size_t> PlacesOf(size_t completion) const {
    return greedy() ? places : std::vector<size_t>{places[completion]};
  }
};

/// Draws by the same rule share a job, at most `largest` of them.
std::vector<DrawJob> GroupDraws(const std::vector<Draw>& draws, const PathPtr& path,
                                size_t largest);

/// `next` after `so_far`, as one set; a stop string across the seam ends it.
TokenSet JoinSets(TokenSet so_far, TokenSet next, const std::vector<std::string>& stop_strings);

/// What has been drawn. A continuation to a clause is drawn in parts: what a request draws after
/// the clause's end is thrown away, so the first asks for few tokens and each further one for twice
/// as many.
class DrawProgress {
 public:
  DrawProgress(const std::vector<Draw>& draws, int max_tokens)
      : sets(draws.size()), left(max_tokens), draws_(draws) {}

  /// How many tokens the next part asks for, which are taken off `left`.
  int BeginPart(bool clause);
  /// One set as far as it is drawn.
  void Take(const std::vector<size_t>& places, TokenSet set, bool goes_on);
  /// The jobs of the next part; none: all is drawn.
  std::vector<DrawJob> EndPart();

  std::vector<TokenSet> sets;  ///< Of the draws that are finished.
  int left;                    ///< Tokens that may follow after this part.

 private:
  const std::vector<Draw>& draws_;
  int part_ = 0;
  std::vector<DrawJob> unfinished_;
};

}  // namespace plumbline::openai
