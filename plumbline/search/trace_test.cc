#include "plumbline/search/trace.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

SearchTrace Example() {
  SearchTrace trace;
  trace.preset = "reference";
  trace.model = "scripted";
  trace.scorer = "self-evaluation harmless";
  trace.key = 0xFFFFFFFFFFFFFFFF;  // Beyond what a double holds.
  TraceNode root;
  root.n = 2.19;
  root.fn = 2;
  root.expanded = true;
  TraceNode child;
  child.id = 1;
  child.parent = 0;
  child.depth = 1;
  child.text = "I \"can't\"";
  child.tokens = {12, 7};
  child.prior = 0.25;
  child.q = -1.0 / 3;
  child.finished = true;
  child.evaluation = TraceEvaluation{" do that.", 0.5, {0.9, 0.6}};
  trace.nodes = {root, child};
  trace.visits = {{0, {0}, -1, {}}, {0, {0, 1}, 0.5, {1}}};
  TraceCommit commit;
  commit.how = "search";
  commit.node = 1;
  commit.text = "I";
  commit.visits = 50;
  commit.stopped_by = "visits";
  commit.value = 0.125;
  TraceCommit prefix;
  prefix.how = "prefix";
  prefix.text = "No,";
  trace.commits = {commit, prefix};
  trace.drafts = {{"a, b.", -0.5, {0.2, 0.3}, {0.1}}};
  trace.answer = "I";
  trace.stop_cause = "finished";
  trace.usage.tokens_read = 123;
  trace.time_ms = 4.5;
  return trace;
}

TEST(Trace, ComesBackAsItWas) {
  const std::string json = TraceToJson(Example());
  EXPECT_NE(json.find("\"schema\":\"plumbline.trace/1\""), std::string::npos);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const Result<SearchTrace> back = TraceFromJson(json);
  ASSERT_TRUE(back.has_value()) << back.error().ToString();
  EXPECT_EQ(back->key, Example().key);
  ASSERT_EQ(back->nodes.size(), 2u);
  EXPECT_EQ(back->nodes[0].parent, kNoNode);
  EXPECT_EQ(back->nodes[0].n, 2.19);
  EXPECT_EQ(back->nodes[1].tokens, Example().nodes[1].tokens);
  EXPECT_EQ(back->nodes[1].q, -1.0 / 3);
  EXPECT_EQ(back->nodes[1].evaluation->good_probabilities, (std::vector<double>{0.9, 0.6}));
  EXPECT_FALSE(back->nodes[0].evaluation.has_value());
  EXPECT_EQ(back->visits[1].added, std::vector<NodeId>{1});
  EXPECT_EQ(back->commits[0].value, 0.125);
  EXPECT_FALSE(back->commits[1].value.has_value());
  EXPECT_EQ(back->commits[1].node, kNoNode);
  EXPECT_EQ(back->drafts[0].prefix_values, std::vector<double>{0.1});
  EXPECT_EQ(TraceToJson(*back), json);
}

TEST(Trace, BytesThatAreNotTextAreReplaced) {
  SearchTrace trace = Example();
  trace.nodes[1].text = "half \xE2\x82";
  const Result<SearchTrace> back = TraceFromJson(TraceToJson(trace));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->nodes[1].text, "half \xEF\xBF\xBD");
}

TEST(Trace, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(TraceFromJson("{").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(TraceFromJson("{}").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(TraceFromJson("[1]").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(TraceFromJson(R"({"schema":"plumbline.trace/2"})").error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(TraceFromJson(R"({"schema":"plumbline.trace/1"})").error().code,
            ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace plumbline
