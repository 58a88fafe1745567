// The whole record of one search, for people, pages and tests: schema "plumbline.trace/1",
// described in docs/trace-schema.md. Additions keep the version; anything else raises it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/model/language_model.h"
#include "plumbline/search/tree.h"

namespace plumbline {

inline constexpr std::string_view kTraceSchema = "plumbline.trace/1";

/// What was judged at a leaf, and how.
struct TraceEvaluation {
  std::string rolled_text;  ///< After the node's own text; empty if none was needed.
  double value = 0;
  std::vector<double> good_probabilities;  ///< Self-evaluation: one for each order of the options.
};

struct TraceNode {
  NodeId id = 0;
  NodeId parent = kNoNode;
  int depth = 0;
  std::string text;  ///< Of the token set.
  std::vector<TokenId> tokens;
  double prior = 0;
  double n = 0;
  int fn = 0;
  double q = 0;
  bool expanded = false;
  bool finished = false;  ///< The answer ends here.
  std::optional<TraceEvaluation> evaluation;
};

struct TraceVisit {
  int search = 0;            ///< Index of the commit that this visit worked for.
  std::vector<NodeId> path;  ///< Root first, leaf last.
  double value = 0;
  std::vector<NodeId> added;  ///< Children added dynamically on the way.
};

/// A piece of text that became final.
struct TraceCommit {
  std::string how;        ///< "search", "leaf", "draft" or "prefix"; see the schema.
  NodeId node = kNoNode;  ///< The new root or the leaf, for "search" and "leaf".
  std::string text;
  int visits = 0;               ///< Spent for it.
  std::string stopped_by;       ///< The stopper's name, for "search" and "leaf".
  std::optional<double> value;  ///< q of the child, or the judgement of leaf, draft or prefix.
};

/// A plain continuation that was judged whole.
struct TraceDraft {
  std::string text;
  double value = 0;
  std::vector<double> good_probabilities;
  std::vector<double> prefix_values;  ///< At each clause end but the last, if it was objected to.
};

struct SearchTrace {
  std::string preset;
  std::string model;
  std::string scorer;
  uint64_t key = 0;              ///< The request's random key. A string in JSON.
  std::vector<TraceNode> nodes;  ///< By id.
  std::vector<TraceVisit> visits;
  std::vector<TraceCommit> commits;
  std::vector<TraceDraft> drafts;
  std::string answer;
  std::string stop_cause;
  Usage usage;
  double time_ms = 0;
};

/// JSON text, one line. Bytes that aren't UTF-8 are written as U+FFFD (tokens stay exact).
std::string TraceToJson(const SearchTrace& trace);

/// The inverse. kInvalidInput, saying where, for other JSON; kUnsupported for another version.
Result<SearchTrace> TraceFromJson(std::string_view json);

}  // namespace plumbline
