// One prompt answered by one procedure, and many of them at once.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "plumbline/cli/model_options.h"
#include "plumbline/cli/procedure_options.h"
#include "plumbline/cli/sampling_options.h"
#include "plumbline/core/random.h"
#include "plumbline/data/prompts.h"
#include "plumbline/procedures/procedure.h"

namespace plumbline {

struct Job {
  size_t number = 0;  ///< In the run, from 0.
  const PromptRecord* prompt = nullptr;
  ProcedureKind procedure = ProcedureKind::kSample;
  std::string key;  ///< Names prompt and procedure in a results file, whatever their order.
  RandomKey random_key;
};

struct JobResult {
  Job job;
  Result<Answer> answer;
  Usage usage;
  double seconds = 0;
};

/// What all jobs of a run share. Everything pointed to outlives the run.
struct JobContext {
  const Models* models = nullptr;
  Scorer* scorer = nullptr;  ///< Null if no procedure of the run needs one.
  ChatStyle chat_style;
  const SamplingOptions* sampling = nullptr;
  const ProcedurePlan* procedures = nullptr;
  std::stop_token stop;
};

/// Every prompt by every procedure, prompt by prompt. A prompt that occurs several times gets
/// different keys and different random streams.
std::vector<Job> MakeJobs(const std::vector<PromptRecord>& prompts,
                          const std::vector<ProcedureKind>& procedures, uint64_t seed);

/// Answers one prompt. The pointers in `context` and `observer` outlive the task.
Task<JobResult> RunJob(JobContext context, Job job, ProcedureObserver* observer);

struct JobHooks {
  std::function<ProcedureObserver*(const Job&)> begin;  ///< Who hears of this job; may be null.
  std::function<bool(JobResult)> end;                   ///< Whether to begin further jobs.
};

/// Runs jobs, `parallel` at once. Hooks are called on the calling thread; `end` in the order in
/// which jobs finish. Returns when all that were begun have finished. Begins no more once a stop
/// is requested.
void RunJobs(const JobContext& context, const std::vector<Job>& jobs, size_t parallel,
             const JobHooks& hooks);

}  // namespace plumbline
