#include "plumbline/cli/job.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "plumbline/core/sha256.h"
#include "plumbline/data/json_text.h"

namespace plumbline {
namespace {

using Clock = std::chrono::steady_clock;

/// Where the executor's thread leaves finished jobs for the thread that began them.
class FinishedJobs {
 public:
  void Push(JobResult result) {
    {
      const std::scoped_lock lock(mutex_);
      results_.push_back(std::move(result));
    }
    arrived_.notify_one();
  }
  JobResult Pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !results_.empty(); });
    JobResult result = std::move(results_.front());
    results_.pop_front();
    return result;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<JobResult> results_;
};

Task<bool> RunAndHandOver(JobContext context, Job job, ProcedureObserver* observer,
                          FinishedJobs* finished) {
  JobResult result = co_await RunJob(std::move(context), std::move(job), observer);
  finished->Push(std::move(result));
  co_return true;
}

std::string DialogueText(const Dialogue& dialogue) {
  nlohmann::json messages = nlohmann::json::array();
  for (const Message& message : dialogue) {
    messages.push_back({RoleName(message.role), message.text});
  }
  return JsonLine(messages);
}

Result<ProcedureInput> MakeInput(const JobContext& context, const Job& job) {
  LanguageModel& model = *context.models->writer;
  ProcedureInput input;
  input.model = &model;
  input.scorer = context.scorer;
  input.embedder = context.models->embedder.get();
  input.dialogue = job.prompt->dialogue;
  PLUMBLINE_ASSIGN(const Prompt prompt, model.FormatChat(input.dialogue, context.chat_style));
  PLUMBLINE_ASSIGN(input.prompt, model.Open(prompt));
  input.key = job.random_key;
  input.sampling = context.sampling->sampling;
  input.limits = LimitsOf(*context.sampling);
  return input;
}

Error At(const std::string& where, Error error) {
  if (!where.empty()) error.message = where + ": " + error.message;
  return error;
}

}  // namespace

std::vector<Job> MakeJobs(const std::vector<PromptRecord>& prompts,
                          const std::vector<ProcedureKind>& procedures, uint64_t seed) {
  std::vector<Job> jobs;
  std::map<std::string, uint64_t> occurrences;
  for (const PromptRecord& prompt : prompts) {
    const std::string text = DialogueText(prompt.dialogue);
    const uint64_t occurrence = occurrences[text]++;
    for (const ProcedureKind procedure : procedures) {
      Job job;
      job.number = jobs.size();
      job.prompt = &prompt;
      job.procedure = procedure;
      job.key = Sha256Hex(text + "\n" + std::to_string(occurrence) + "\n" +
                          std::string(ProcedureName(procedure)))
                    .substr(0, 32);
      job.random_key = RandomKey(seed).Derive(text).Derive(occurrence);
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

Task<JobResult> RunJob(JobContext context, Job job, ProcedureObserver* observer) {
  const Clock::time_point begin = Clock::now();
  JobResult result{std::move(job), Answer{}, {}, 0};
  Result<ProcedureInput> input = MakeInput(context, result.job);
  if (input) {
    input->observer = observer;
    input->call = {&result.usage, context.stop};
    ProcedureInput taken = std::move(*input);
    result.answer =
        co_await RunProcedure(*context.procedures, result.job.procedure, std::move(taken));
  } else {
    result.answer = FailWith(input);
  }
  if (!result.answer) {
    result.answer = tl::unexpected(At(result.job.prompt->where, result.answer.error()));
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  co_return result;
}

void RunJobs(const JobContext& context, const std::vector<Job>& jobs, size_t parallel,
             const JobHooks& hooks) {
  FinishedJobs finished;
  size_t next = 0;
  size_t running = 0;
  bool go_on = true;
  while (true) {
    while (go_on && !context.stop.stop_requested() && running < parallel && next < jobs.size()) {
      const Job& job = jobs[next++];
      ProcedureObserver* observer = hooks.begin ? hooks.begin(job) : nullptr;
      context.models->executor->Submit(RunAndHandOver(context, job, observer, &finished));
      ++running;
    }
    if (running == 0) return;
    JobResult result = finished.Pop();
    --running;
    go_on = hooks.end(std::move(result)) && go_on;
  }
}

}  // namespace plumbline
