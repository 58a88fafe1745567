#include "plumbline/experiments/search_bench.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "plumbline/model/llama/llama_model.h"
#include "plumbline/procedures/rain.h"
#include "plumbline/procedures/sample.h"
#include "plumbline/scoring/self_evaluation.h"

namespace plumbline {
namespace {

using Clock = std::chrono::steady_clock;

/// What all coroutines of one run share. Executor's thread only, but for `usage`'s owner.
struct Bench {
  const SearchBenchOptions* options = nullptr;
  LlamaModel* model = nullptr;
  Scorer* scorer = nullptr;
  bool search = false;
  Usage usage;
  size_t next = 0;                   // the prompt that a free lane takes
  std::vector<std::string> answers;  // by prompt
  SearchBenchRun run;
};

Task<Result<Answer>> AnswerOne(Bench& bench, size_t index) {
  const SearchBenchOptions& options = *bench.options;
  ProcedureInput input;
  input.model = bench.model;
  input.scorer = bench.scorer;
  input.dialogue = options.dialogues[index];
  input.key = RandomKey(options.seed).Derive(index);
  input.limits.max_tokens = options.max_tokens;
  input.call.usage = &bench.usage;
  const ChatStyle style;
  PLUMBLINE_CO_ASSIGN(const Prompt prompt, bench.model->FormatChat(input.dialogue, style));
  PLUMBLINE_CO_ASSIGN(input.prompt, bench.model->Open(prompt));
  if (bench.search) {
    auto answer = co_await Rain(std::move(input), options.rain);
    co_return answer;
  }
  auto answer = co_await Sample(std::move(input));
  co_return answer;
}

// Takes prompts one after the other until none is left.
Task<Status> Lane(Bench& bench) {
  while (bench.next < bench.options->dialogues.size()) {
    const size_t index = bench.next++;
    auto answer = co_await AnswerOne(bench, index);
    PLUMBLINE_CO_TRY(answer);
    bench.answers[index] = answer->chosen.text;
    bench.run.answer_tokens += answer->chosen.tokens;
    bench.run.visits += answer->visits;
    bench.run.commits += answer->commits;
    bench.run.searched += answer->searched_commits;
  }
  co_return Status{};
}

Task<Status> AnswerAll(Bench& bench) {
  std::vector<Task<Status>> lanes;
  for (int i = 0; i < bench.options->parallel; ++i) lanes.push_back(Lane(bench));
  const std::vector<Status> statuses = co_await WhenAll(std::move(lanes));
  for (const Status& status : statuses) PLUMBLINE_CO_TRY(status);
  co_return Status{};
}

// Rolls one final answer on to the end of its clause, with random numbers that no search has seen,
// and judges it.
Task<Result<double>> FinalValue(Bench& bench, size_t index) {
  Dialogue dialogue = bench.options->dialogues[index];
  std::string text = bench.answers[index];
  dialogue.push_back({Role::kAssistant, text});
  const ChatStyle style;
  PLUMBLINE_CO_ASSIGN(const Prompt prompt, bench.model->FormatChat(dialogue, style));
  PLUMBLINE_CO_ASSIGN(const Branch branch, bench.model->Open(prompt));
  const Draw draw{{}, RandomKey(bench.options->seed).Derive("fresh").Derive(index)};
  Until until;
  until.max_tokens = 16;
  until.clause = true;
  const Call call{&bench.usage, {}};
  auto rolled = co_await ContinueOne(*bench.model, branch, draw, std::move(until), call);
  PLUMBLINE_CO_TRY(rolled);
  text += rolled->text;
  std::vector<std::string> replies{std::move(text)};
  auto judged =
      co_await bench.scorer->Score(bench.options->dialogues[index], std::move(replies), call);
  PLUMBLINE_CO_TRY(judged);
  co_return judged->front().value;
}

Task<Result<double>> MeanFinalValue(Bench& bench) {
  double sum = 0;
  for (size_t i = 0; i < bench.answers.size(); ++i) {
    auto value = co_await FinalValue(bench, i);
    PLUMBLINE_CO_TRY(value);
    sum += *value;
  }
  co_return sum / static_cast<double>(bench.answers.size());
}

Task<Status> WarmUp(Bench& bench) {
  const Dialogue hello{{Role::kUser, "Hello"}};
  std::vector<std::string> replies{"Hello."};
  auto judged = co_await bench.scorer->Score(hello, std::move(replies), {&bench.usage, {}});
  PLUMBLINE_CO_TRY(judged);
  co_return Status{};
}

/// A loaded model with its judges: one as the search asks, and a soft one for the final answers.
class Bed {
 public:
  static Result<Bed> Create(const SearchBenchOptions& options) {
    Bed bed;
    LlamaOptions llama;
    llama.path = options.model_path;
    llama.threads = options.threads;
    llama.cells = options.cells;
    PLUMBLINE_ASSIGN(bed.model_, LoadLlamaModel(llama));
    PLUMBLINE_ASSIGN(const EvaluationTemplate wording, LoadTemplate(options.judge_template));
    SelfEvaluationOptions evaluation;
    PLUMBLINE_ASSIGN(bed.soft_, SelfEvaluation::Create(*bed.model_, wording, evaluation));
    if (options.hard_votes) evaluation.value = ValueKind::kHard;
    PLUMBLINE_ASSIGN(bed.judge_, SelfEvaluation::Create(*bed.model_, wording, evaluation));
    bed.executor_ = std::make_unique<Executor>(std::vector<Backend*>{bed.model_.get()});
    return bed;
  }

  Bench NewBench(const SearchBenchOptions& options, bool search) const {
    Bench bench;
    bench.options = &options;
    bench.model = model_.get();
    bench.scorer = judge_.get();
    bench.search = search;
    bench.answers.resize(options.dialogues.size());
    return bench;
  }

  Result<double> Warm(const SearchBenchOptions& options) {
    Bench bench = NewBench(options, false);
    const Clock::time_point start = Clock::now();
    PLUMBLINE_TRY(executor_->Run(WarmUp(bench)));
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  Result<SearchBenchRun> Run(const SearchBenchOptions& options, bool search) {
    Bench bench = NewBench(options, search);
    const int64_t rounds_before = model_->counters().rounds;
    const Clock::time_point start = Clock::now();
    PLUMBLINE_TRY(executor_->Run(AnswerAll(bench)));
    SearchBenchRun run = bench.run;
    run.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    run.tokens_read = bench.usage.tokens_read;
    run.tokens_reused = bench.usage.tokens_reused;
    run.tokens_reread = bench.usage.tokens_reread;
    run.tokens_embedded = bench.usage.tokens_embedded;
    run.rounds = model_->counters().rounds - rounds_before;
    bench.scorer = soft_.get();
    PLUMBLINE_ASSIGN(run.mean_value, executor_->Run(MeanFinalValue(bench)));
    return run;
  }

 private:
  std::unique_ptr<LlamaModel> model_;
  std::unique_ptr<SelfEvaluation> judge_;
  std::unique_ptr<SelfEvaluation> soft_;
  std::unique_ptr<Executor> executor_;
};

std::string FormatRun(const char* name, const SearchBenchRun& run) {
  const auto per_token = [&run](int64_t count) {
    return static_cast<double>(count) / static_cast<double>(run.answer_tokens);
  };
  return fmt::format(
      "{:<10} {:>7} {:>9.2f} {:>11.1f} {:>10.1f} {:>10.1f} {:>9} {:>8} {:>8} {:>9} "
      "{:>+8.3f}\n",
      name, run.answer_tokens, run.seconds, 1000 * run.seconds_per_token(),
      per_token(run.tokens_read), per_token(run.tokens_embedded), run.tokens_reread, run.rounds,
      run.visits, fmt::format("{}/{}", run.searched, run.commits), run.mean_value);
}

}  // namespace

Result<SearchBenchResult> RunSearchBench(const SearchBenchOptions& options,
                                         const std::function<void(const std::string&)>& progress) {
  if (options.dialogues.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "bench: there are no prompts");
  }
  const auto say = [&progress](const std::string& line) {
    if (progress) progress(line);
  };
  SearchBenchResult result;
  // A cache of its own for each, so that neither finds prompts that the other has read.
  for (const bool search : {false, true}) {
    say(search ? "RAIN, preset " + options.rain.preset : "plain sampling");
    PLUMBLINE_ASSIGN(Bed bed, Bed::Create(options));
    PLUMBLINE_ASSIGN(result.fixed_seconds, bed.Warm(options));
    PLUMBLINE_ASSIGN((search ? result.rain : result.sampling), bed.Run(options, search));
  }
  return result;
}

std::string FormatSearchBench(const SearchBenchResult& result) {
  std::string table =
      fmt::format("{:<10} {:>7} {:>9} {:>11} {:>10} {:>10} {:>9} {:>8} {:>8} {:>9} {:>8}\n", "",
                  "tokens", "seconds", "ms/token", "read/tok", "embed/tok", "re-read", "batches",
                  "visits", "searched", "value");
  table += FormatRun("sampling", result.sampling);
  table += FormatRun("rain", result.rain);
  table += fmt::format("RAIN / sampling, wall time a token: {:.2f}\n", result.ratio());
  table += fmt::format("The judge's fixed part, read once per model before both: {:.2f} s\n",
                       result.fixed_seconds);
  return table;
}

}  // namespace plumbline
