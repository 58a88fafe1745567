#include "plumbline/cli/job.h"

#include <gtest/gtest.h>

#include <set>

namespace plumbline {
namespace {

PromptRecord Prompt(const std::string& text) {
  PromptRecord record;
  record.dialogue = {{Role::kUser, text}};
  return record;
}

const std::vector<ProcedureKind> kTwo = {ProcedureKind::kSample, ProcedureKind::kRain};

TEST(MakeJobs, EveryPromptByEveryProcedureUnderItsOwnKey) {
  const std::vector<PromptRecord> prompts = {Prompt("a"), Prompt("b"), Prompt("a")};
  const std::vector<Job> jobs = MakeJobs(prompts, kTwo, 1);
  ASSERT_EQ(jobs.size(), 6u);
  std::set<std::string> keys;
  std::set<uint64_t> streams;
  for (const Job& job : jobs) {
    keys.insert(job.key);
    streams.insert(job.random_key.value());
  }
  EXPECT_EQ(keys.size(), 6u);
  EXPECT_EQ(streams.size(), 3u);  // procedures that are compared draw from the same stream
}

TEST(MakeJobs, AKeyDoesNotDependOnWhatElseIsThere) {
  const std::vector<PromptRecord> alone = {Prompt("b")};
  const std::vector<PromptRecord> among = {Prompt("a"), Prompt("b")};
  const Job one = MakeJobs(alone, {ProcedureKind::kRain}, 1)[0];
  const Job other = MakeJobs(among, kTwo, 1)[3];
  EXPECT_EQ(one.key, other.key);
  EXPECT_EQ(one.random_key, other.random_key);
  EXPECT_NE(MakeJobs(alone, kTwo, 2)[0].random_key, MakeJobs(alone, kTwo, 1)[0].random_key);
}

}  // namespace
}  // namespace plumbline
