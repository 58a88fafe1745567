#include "plumbline/experiments/decode_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "plumbline/model/llama/llama_model.h"
#include "plumbline/model/llama/raw_decoding.h"
#include "plumbline/procedures/sample.h"

namespace plumbline {
namespace {

// Prose that a model goes on with for a while; about 64 tokens in most vocabularies.
constexpr const char* kBenchPrompt =
    "The lighthouse had stood on the rock for two hundred years before anyone thought of writing "
    "down what its keepers had seen. The first of them came in autumn, with a box of candles, a "
    "dog and a book of tides. He wrote a line every evening, and the lines tell a long story. On "
    "the first page it says that";

using Clock = std::chrono::steady_clock;

struct Measured {
  int64_t tokens = 0;
  double seconds = 0;
  double rate() const { return static_cast<double>(tokens) / seconds; }
};

int ThreadsFor(const DecodeBenchOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Task<Result<Measured>> SampleAnswers(LanguageModel& model, int streams, int tokens, uint64_t seed) {
  const Prompt prompt = PlainPrompt(kBenchPrompt);
  PLUMBLINE_CO_ASSIGN(const Branch branch, model.Open(prompt));
  Usage usage;
  const Call call{&usage, {}};
  // The prompt is read before the clock starts, as in the peer's measurement.
  const auto warm = co_await model.TopTokens(branch, 1, call);
  if (!warm.has_value()) co_return FailWith(warm);
  const Clock::time_point start = Clock::now();
  std::vector<Task<Result<Answer>>> answers;
  for (int i = 0; i < streams; ++i) {
    ProcedureInput input;
    input.model = &model;
    input.prompt = branch;
    input.key = RandomKey(seed).Derive(static_cast<uint64_t>(i));
    input.limits.max_tokens = tokens;
    input.call = call;
    answers.push_back(Sample(std::move(input)));
  }
  const std::vector<Result<Answer>> results = co_await WhenAll(std::move(answers));
  Measured measured;
  measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const Result<Answer>& result : results) {
    if (!result.has_value()) co_return FailWith(result);
    measured.tokens += result->chosen.tokens;
  }
  co_return measured;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Both sides of one comparison, kept loaded between pairs.
class Comparison {
 public:
  static Result<Comparison> Create(const DecodeBenchOptions& options, int streams) {
    Comparison comparison;
    for (const bool flash : {false, true}) {
      RawDecodingOptions raw;
      raw.path = options.model_path;
      raw.threads = ThreadsFor(options);
      raw.streams = streams;
      raw.new_tokens = options.tokens;
      raw.flash_attention = flash;
      PLUMBLINE_ASSIGN(RawDecoding peer, RawDecoding::Create(raw));
      comparison.peers_.push_back(std::move(peer));
    }
    LlamaOptions llama;
    llama.path = options.model_path;
    llama.threads = ThreadsFor(options);
    llama.cells = 128 + streams * (options.tokens + 1);
    PLUMBLINE_ASSIGN(comparison.model_, LoadLlamaModel(llama));
    comparison.executor_ =
        std::make_unique<Executor>(std::vector<Backend*>{comparison.model_.get()});
    return comparison;
  }

  Result<Measured> Ours(int streams, int tokens, uint64_t seed) {
    return executor_->Run(SampleAnswers(*model_, streams, tokens, seed));
  }

  Result<Measured> Theirs(int streams, int tokens) {
    Measured best;
    for (RawDecoding& peer : peers_) {
      PLUMBLINE_ASSIGN(const RawDecodingResult result, peer.Run());
      const Measured measured{int64_t{streams} * tokens, result.decode_seconds};
      if (best.seconds == 0 || measured.rate() > best.rate()) best = measured;
    }
    return best;
  }

 private:
  std::vector<RawDecoding> peers_;
  std::unique_ptr<LlamaModel> model_;
  std::unique_ptr<Executor> executor_;
};

Result<DecodeBenchRow> MeasureRow(const DecodeBenchOptions& options, int streams,
                                  const std::function<void(const std::string&)>& progress) {
  PLUMBLINE_ASSIGN(Comparison comparison, Comparison::Create(options, streams));
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  for (int pair = -1; pair < options.pairs; ++pair) {  // The first pair warms caches up.
    PLUMBLINE_ASSIGN(const Measured a,
                     comparison.Ours(streams, options.tokens, static_cast<uint64_t>(pair + 1)));
    PLUMBLINE_ASSIGN(const Measured b, comparison.Theirs(streams, options.tokens));
    if (pair < 0) continue;
    ours.push_back(a.rate());
    theirs.push_back(b.rate());
    ratios.push_back(a.rate() / b.rate());
    if (progress) {
      progress(fmt::format("{} streams, pair {} of {}: {:.1f} and {:.1f} tokens/s", streams,
                           pair + 1, options.pairs, a.rate(), b.rate()));
    }
  }
  DecodeBenchRow row;
  row.streams = streams;
  row.ours = Median(ours);
  row.theirs = Median(theirs);
  row.ratio = Median(ratios);
  row.lowest_ratio = *std::min_element(ratios.begin(), ratios.end());
  row.highest_ratio = *std::max_element(ratios.begin(), ratios.end());
  return row;
}

}  // namespace

Result<std::vector<DecodeBenchRow>> RunDecodeBench(
    const DecodeBenchOptions& options, const std::function<void(const std::string&)>& progress) {
  if (options.pairs < 1 || options.tokens < 1) {
    return Fail(ErrorCode::kInvalidArgument, "bench: pairs and tokens must be 1 or more");
  }
  std::vector<DecodeBenchRow> rows;
  for (const int streams : options.streams) {
    if (streams < 1 || streams > 100) {
      return Fail(ErrorCode::kInvalidArgument, "bench: streams must be 1 to 100");
    }
    PLUMBLINE_ASSIGN(const DecodeBenchRow row, MeasureRow(options, streams, progress));
    rows.push_back(row);
  }
  return rows;
}

std::string FormatDecodeBench(const std::vector<DecodeBenchRow>& rows) {
  std::string table = fmt::format("{:>8} {:>16} {:>16} {:>8} {:>16}\n", "streams",
                                  "plumbline tok/s", "llama.cpp tok/s", "ratio", "range");
  for (const DecodeBenchRow& row : rows) {
    table += fmt::format("{:>8} {:>16.1f} {:>16.1f} {:>8.3f} {:>8.3f} - {:.3f}\n", row.streams,
                         row.ours, row.theirs, row.ratio, row.lowest_ratio, row.highest_ratio);
  }
  return table;
}

}  // namespace plumbline
