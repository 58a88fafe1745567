// The trace test: RAIN against the plain implementation in naive_rain.h, decision for decision.
#include <gtest/gtest.h>

#include <map>

#include "plumbline/procedures/naive_rain.h"
#include "plumbline/procedures/rain.h"
#include "plumbline/procedures/test_support.h"
#include "plumbline/search/trace.h"

namespace plumbline {
namespace {

using testing_support::FunctionScorer;
using testing_support::HashedVotes;
using testing_support::NaiveNode;
using testing_support::NaiveRain;
using testing_support::NaiveVisit;
using testing_support::Request;
using testing_support::SmallModel;

// --- The comparison.

std::vector<std::string> NamesOf(const SearchTrace& trace) {
  std::vector<std::string> names;
  for (const TraceNode& node : trace.nodes) {
    const bool end = node.finished && node.tokens.empty();
    const std::string above = node.parent == kNoNode ? "" : names[node.parent] + "|";
    names.push_back(above + node.text + (end ? "$" : ""));
  }
  return names;
}

void Flatten(const NaiveNode& node, std::map<std::string, const NaiveNode*>& all) {
  all[node.name] = &node;
  for (const auto& child : node.children) Flatten(*child, all);
}

void ExpectSame(const SearchTrace& trace, const NaiveRain& naive) {
  // A set may end the text after some tokens: the naive names carry "$" there as well.
  const auto plain = [](std::string name) {
    name.erase(std::remove(name.begin(), name.end(), '$'), name.end());
    return name;
  };
  const std::vector<std::string> names = NamesOf(trace);
  ASSERT_EQ(trace.visits.size(), naive.visits.size());
  for (size_t i = 0; i < trace.visits.size(); ++i) {
    const NaiveVisit& expected = naive.visits[i];
    ASSERT_EQ(trace.visits[i].path.size(), expected.path.size()) << "visit " << i;
    for (size_t j = 0; j < expected.path.size(); ++j) {
      ASSERT_EQ(plain(names[trace.visits[i].path[j]]), plain(expected.path[j])) << "visit " << i;
    }
    ASSERT_EQ(trace.visits[i].value, expected.value) << "visit " << i;
  }
  ASSERT_EQ(trace.commits.size(), naive.commits.size());
  for (size_t i = 0; i < trace.commits.size(); ++i) {
    EXPECT_EQ(trace.commits[i].text, naive.commits[i]);
  }
  std::map<std::string, const NaiveNode*> all;
  Flatten(*naive.first, all);
  for (const TraceNode& node : trace.nodes) {
    std::string name = names[node.id];
    if (!all.contains(name)) name += "$";
    ASSERT_TRUE(all.contains(name)) << name;
    const NaiveNode& expected = *all.at(name);
    EXPECT_EQ(node.fn, expected.fn) << name;
    EXPECT_NEAR(node.n, expected.n, 1e-9) << name;
    EXPECT_NEAR(node.q, expected.q, 1e-9) << name;
    if (node.parent != kNoNode) {
      EXPECT_NEAR(node.prior, expected.p, 1e-6) << name;
    }
  }
}

struct Case {
  std::string name;
  RainOptions options;
  double bad, undecided;
  int embedding_size;
  int max_tokens;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"reference", ReferenceRain(), 0.4, 0.3, 8, 30});
  RainOptions easily_alike = ReferenceRain();
  easily_alike.add.variance = 0.4;
  cases.push_back({"mostly_bad", easily_alike, 0.95, 0.0, 2, 24});
  cases.push_back({"mostly_good", ReferenceRain(), 0.02, 0.0, 3, 30});
  RainOptions no_similarity = ReferenceRain();
  no_similarity.similarity = SimilarityUse::kOff;
  cases.push_back({"no_similarity", no_similarity, 0.5, 0.2, 8, 30});
  RainOptions other = ReferenceRain();
  other.set_lengths = {3, 1, 5};
  other.c_puct = 0.7;
  other.samples = 4;
  other.top_tokens = 5;
  other.sample_top_k = 6;
  other.visits = 23;
  other.extra_visits = 9;
  other.sharing.weight = 0.5;
  other.sharing.threshold = 0.8;
  other.add.variance = 1;
  cases.push_back({"other_numbers", other, 0.8, 0.1, 3, 21});
  return cases;
}

class RainTrace : public ::testing::TestWithParam<int> {};

TEST_P(RainTrace, DecidesAsThePlainImplementation) {
  int early_stops = 0, additions = 0, shares = 0;
  const Case test = Cases()[GetParam()];
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(test.name + " seed " + std::to_string(seed));
    const ScriptedOptions model_options = SmallModel(seed, test.embedding_size);
    const auto votes = HashedVotes(seed, test.bad, test.undecided);
    ScriptedModel model(model_options);
    FunctionScorer scorer(votes);
    Request request(model, &scorer, seed + 100, test.max_tokens);
    NaiveRain naive(model_options, votes, test.options, test.max_tokens);
    naive.Answer(model.PathOf(request.input.prompt), request.input.key);

    RainOptions options = test.options;
    options.trace = true;
    options.speculate = 1 + static_cast<int>(seed % 4) * 3;
    Executor executor({&model});
    const Result<Answer> answer = executor.Run(Rain(request.input, options));
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*answer->trace, naive));
    std::string text;
    for (const std::string& commit : naive.commits) text += commit;
    EXPECT_EQ(answer->chosen.text, text);
    early_stops += naive.early_stops;
    additions += naive.additions;
    shares += naive.shares;
  }
  // That the seeds reach what they are meant to reach.
  if (test.name == "mostly_good") {
    EXPECT_GT(early_stops, 10);
  }
  if (test.name == "mostly_bad" || test.name == "other_numbers") {
    EXPECT_GT(additions, 10);
  }
  if (test.options.similarity != SimilarityUse::kOff) {
    EXPECT_GT(shares, 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Options, RainTrace, ::testing::Range(0, 5),
                         [](const auto& param) { return Cases()[param.param].name; });

TEST(RainTrace, TwoInterleavedRequestsDecideAsAlone) {
  const ScriptedOptions model_options = SmallModel(77);
  const auto votes = HashedVotes(77, 0.4, 0.3);
  ScriptedModel model(model_options);
  FunctionScorer scorer(votes);
  RainOptions options = ReferenceRain();
  options.trace = true;
  Request one(model, &scorer, 1, 20);
  Request two(model, &scorer, 2, 26);
  Executor executor({&model});
  auto first = executor.Submit(Rain(one.input, options));
  auto second = executor.Submit(Rain(two.input, options));
  for (Request* request : {&one, &two}) {
    const Result<Answer> answer = (request == &one ? first : second).get();
    ASSERT_TRUE(answer.has_value());
    NaiveRain naive(model_options, votes, options, request->input.limits.max_tokens);
    naive.Answer(model.PathOf(request->input.prompt), request->input.key);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*answer->trace, naive));
  }
}

}  // namespace
}  // namespace plumbline
