// Every number of the RAIN search, with where it is from. "Paper": Li et al., "RAIN: Your Language
// Models Can Align Themselves without Finetuning" (ICLR 2024, arXiv 2309.07124). "Reference": the
// published implementation's behaviour. docs/rain.md describes the whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/search/tree.h"

namespace plumbline {

/// Where the texts that similarity compares are embedded.
enum class SimilarityUse {
  kOff,           ///< No embeddings: no sharing among siblings, nothing added dynamically.
  kAlways,        ///< By the embedder, or by the model itself if none is given. Reference.
  kWithEmbedder,  ///< Only if an embedder is given: a language model's own states separate poorly.
};

/// Defaults are the reference preset's.
struct RainOptions {
  std::string preset = "reference";  ///< For the trace and for people.

  // The tree.
  std::vector<int> set_lengths = {1, 2, 4, 10};  ///< Tokens by depth of the parent; the last
                                                 ///< repeats. Reference.
  double c_puct = 2;                             ///< Exploration, >= 0. Paper and reference.
  ValueRange value_range = ValueRange::kFixed;   ///< Reference starts at [-1, 1]; the paper's
                                                 ///< min-max is kSeen.
  int top_tokens = 10;                           ///< Children of sets of one token. Reference.
  int samples = 9;              ///< Sampled children of longer sets, beside the greedy one.
                                ///< Reference.
  int sample_top_k = 15;        ///< Their top-k, at temperature 1. Reference.
  double uniform_share = 0.25;  ///< Of the root's priors, in [0, 1]. Reference.
  AddOptions add;               ///< Dynamic adding. Paper; numbers of the reference.
  SimilarityUse similarity = SimilarityUse::kAlways;
  SimilarityOptions sharing;  ///< Among similar siblings. Paper; numbers of the reference.

  // Judging a leaf.
  bool roll_to_clause = true;    ///< Roll on to the next punctuation mark. Reference.
  int roll_tokens = 0;           ///< At most so many tokens; 0: the answer's limit. Reference: 0.
  bool roll_by_request = false;  ///< Roll by the request's sampling, not at temperature 1 without
                                 ///< cuts. Reference: no.

  // Stopping a search at one root.
  int visits = 50;          ///< Whole visits of a root... Reference (maxT).
  int extra_visits = 15;    ///< ...or so many more than it inherited, if that is more.
  double stop_value = 0.8;  ///< Stop early when the leader's q is above this... Reference (Vt).
  int stop_visits = 6;      ///< ...and it has more than so many visits. Reference (minT).

  // Searching only where the judge objects. None of this is in paper or reference.
  bool draft_first = false;  ///< Write plainly, judge, and search only what is objected to.
  int draft_tokens = 64;     ///< Longest draft that is judged as one, >= 1.
  double commit_value = 0;   ///< A draft judged this or better is committed at once.
  double clear_value = 0.2;  ///< A search ends when a leaf is judged this or better.
  int draft_prefixes = 3;    ///< Clause ends of a bad draft that are judged to find where it
                             ///< goes wrong, >= 0.
  int max_searches = 3;      ///< In one answer; then drafts are committed as they are.

  // How, not what: no decision depends on these.
  int speculate = 4;   ///< Leaves rolled forward and judged ahead in one batch, >= 1.
  bool trace = false;  ///< Record everything (search/trace.h).
};

/// Decision for decision the published search.
RainOptions ReferenceRain();

/// Writes plainly and searches where the judge objects: for use. docs/rain.md says what each
/// deviation is worth.
RainOptions DefaultRain();

/// By name: "reference", "default". kInvalidArgument for others, naming the nearest.
Result<RainOptions> RainPreset(std::string_view name);

/// Fails with kInvalidArgument, naming the field, if one is out of range.
Status ValidateRainOptions(const RainOptions& options);

/// The token-set length below a node at `depth`.
int SetLength(const RainOptions& options, int depth);

/// The depth that an answer of so many tokens has if it was committed in whole token sets.
int DepthOfLength(const RainOptions& options, int tokens);

}  // namespace plumbline
