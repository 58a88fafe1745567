// The search's signature: a hash of everything that RAIN chose on fixed scripted positions. A
// change that is meant to change decisions regenerates it and says so in its commit:
//   PLUMBLINE_UPDATE_GOLDEN=1 ctest -R search_signature
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "plumbline/procedures/rain.h"
#include "plumbline/procedures/test_support.h"
#include "plumbline/search/trace.h"

namespace plumbline {
namespace {

using testing_support::FunctionScorer;
using testing_support::HashedVotes;
using testing_support::Request;
using testing_support::SmallModel;

/// Choices only, no floating-point statistics: those may differ in the last bit between compilers.
RandomKey HashChoices(RandomKey hash, const SearchTrace& trace) {
  for (const TraceVisit& visit : trace.visits) {
    for (const NodeId node : visit.path) hash = hash.Derive(trace.nodes[node].text);
    for (const NodeId node : visit.added) hash = hash.Derive(trace.nodes[node].text);
  }
  for (const TraceCommit& commit : trace.commits) hash = hash.Derive(commit.how + commit.text);
  return hash.Derive(trace.answer).Derive(trace.stop_cause);
}

std::string Signature(const std::string& preset) {
  RandomKey hash(0);
  int64_t visits = 0;
  for (uint64_t position = 0; position < 16; ++position) {
    ScriptedModel model(SmallModel(position, 2 + static_cast<int>(position % 5)));
    FunctionScorer scorer(HashedVotes(position, 0.05 * static_cast<double>(position + 3), 0.1));
    Request request(model, &scorer, position, 40);
    RainOptions options = *RainPreset(preset);
    options.trace = true;
    options.similarity = SimilarityUse::kAlways;
    Executor executor({&model});
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    hash = HashChoices(hash, *answer->trace);
    visits += answer->visits;
  }
  std::ostringstream line;
  line << preset << " visits " << visits << " choices " << std::hex << hash.value() << "\n";
  return line.str();
}

TEST(SearchSignature, IsTheRecordedOne) {
  const char* const source = std::getenv("PLUMBLINE_SOURCE_DIR");
  ASSERT_NE(source, nullptr) << "run this test with ctest";
  const std::string path = std::string(source) + "/plumbline/procedures/search_signature.golden";
  const std::string found = Signature("reference") + Signature("default");
  if (std::getenv("PLUMBLINE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << found;
  std::ifstream file(path);
  std::ostringstream recorded;
  recorded << file.rdbuf();
  EXPECT_EQ(found, recorded.str()) << "If decisions were meant to change, regenerate " << path
                                   << " with PLUMBLINE_UPDATE_GOLDEN=1 and say so in the commit.";
}

}  // namespace
}  // namespace plumbline
