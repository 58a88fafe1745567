#include "plumbline/cli/bench.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "plumbline/cli/default_model.h"
#include "plumbline/cli/rain_flags.h"
#include "plumbline/cli/status_area.h"
#include "plumbline/data/prompts.h"
#include "plumbline/experiments/decode_bench.h"
#include "plumbline/experiments/search_bench.h"

namespace plumbline {
namespace {

constexpr const char* kExamples = R"(Examples:
  plumbline bench
      Plain sampling against llama.cpp driven directly, 1, 16 and 32 streams.
  plumbline bench --streams 1,8 --threads 1 --model FILE
  plumbline bench --rain default --input prompts.jsonl --limit 16 --parallel 8
      What a search costs: RAIN beside plain sampling of the same prompts.

Each figure of the first kind is the median ratio over pairs of measurements, taken in turn in one
run, because machines are noisy. docs/benchmarks.md explains what is measured.)";

struct BenchFlags {
  DecodeBenchOptions decode;
  std::string rain;  ///< A preset: measure the search in place of decoding.
  RainChanges rain_changes;
  PromptSource prompts;
  SearchBenchOptions search;
};

Status RunDecode(const DecodeBenchOptions& options) {
  StatusArea area(DetectTerminal());
  const auto progress = [&area](const std::string& line) { area.SetStatus({line}); };
  const Result<std::vector<DecodeBenchRow>> rows = RunDecodeBench(options, progress);
  area.Clear();
  if (!rows) return FailWith(rows);
  fmt::print("{}", FormatDecodeBench(*rows));
  return {};
}

Status RunSearch(BenchFlags flags) {
  if (flags.prompts.path.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "bench --rain needs prompts",
                "name a file with --input");
  }
  PLUMBLINE_ASSIGN(const std::vector<PromptRecord> prompts, ReadPrompts(flags.prompts));
  SearchBenchOptions& options = flags.search;
  for (const PromptRecord& prompt : prompts) options.dialogues.push_back(prompt.dialogue);
  PLUMBLINE_ASSIGN(options.rain, RainPreset(flags.rain));
  for (const auto& change : flags.rain_changes) change(options.rain);
  options.model_path = flags.decode.model_path;
  options.threads = flags.decode.threads;
  options.max_tokens = flags.decode.tokens;
  StatusArea area(DetectTerminal());
  const auto progress = [&area](const std::string& line) { area.SetStatus({line}); };
  const Result<SearchBenchResult> result = RunSearchBench(options, progress);
  area.Clear();
  if (!result) return FailWith(result);
  fmt::print("{}", FormatSearchBench(*result));
  return {};
}

Status RunBench(BenchFlags flags) {
  if (flags.decode.model_path.empty()) flags.decode.model_path = DefaultModelPath();
  return flags.rain.empty() ? RunDecode(flags.decode) : RunSearch(std::move(flags));
}

void AddDecodeFlags(CLI::App& app, DecodeBenchOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group("Bench"); };
  group(app.add_option("-m,--model", options.model_path, "A GGUF file. Default: the default model"))
      ->type_name("FILE");
  group(app.add_option("--streams", options.streams, "Answers written at once; several runs"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 100).description(""))
      ->type_name("N,N,...");
  group(app.add_option("--tokens", options.tokens, "Tokens of each answer"))
      ->check(CLI::Range(1, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--pairs", options.pairs, "Pairs of measurements"))
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--threads", options.threads, "CPU threads. 0: one for each processor"))
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
}

void AddSearchFlags(CLI::App& app, BenchFlags& flags) {
  const auto group = [](CLI::Option* option) { return option->group("What a search costs"); };
  group(app.add_option("--rain", flags.rain, "Measure RAIN by this preset: default, reference"))
      ->type_name("PRESET");
  group(app.add_option("--input", flags.prompts.path, "A file of prompts, as for generate"))
      ->type_name("FILE");
  group(app.add_option("--limit", flags.prompts.limit, "Take at most so many"))->type_name("N");
  group(app.add_option("--skip", flags.prompts.skip, "Leave out so many first"))->type_name("N");
  group(app.add_option("--parallel", flags.search.parallel, "Prompts at once"))
      ->check(CLI::Range(1, 64).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--ctx", flags.search.cells, "Tokens that the key/value cache holds"))
      ->type_name("N")
      ->capture_default_str();
  group(app.add_option("--align-to", flags.search.judge_template, "The judge's template"))
      ->type_name("NAME")
      ->capture_default_str();
  group(app.add_flag("--hard", flags.search.hard_votes, "Hard votes, as published"));
  group(app.add_option("--seed", flags.search.seed, "Seed"))->type_name("N")->capture_default_str();
  AddRainFlags(app, flags.rain_changes);
}

}  // namespace

Command AddBench(CLI::App& program) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* app = AddSubcommand(
      program, "bench", "How fast sampling and searching are, beside llama.cpp itself", kExamples);
  AddDecodeFlags(*app, flags->decode);
  AddSearchFlags(*app, *flags);
  return {app, [flags] { return RunBench(*flags); }};
}

}  // namespace plumbline
