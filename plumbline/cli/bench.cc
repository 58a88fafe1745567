#include "plumbline/cli/bench.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "plumbline/cli/default_model.h"
#include "plumbline/cli/status_area.h"
#include "plumbline/experiments/decode_bench.h"

namespace plumbline {
namespace {

constexpr const char* kExamples = R"(Examples:
  plumbline bench
      Plain sampling against llama.cpp driven directly, 1, 16 and 32 streams.
  plumbline bench --streams 1,8 --threads 1 --model FILE

Each figure is the median ratio over pairs of measurements, taken in turn in one run, because
machines are noisy. docs/benchmarks.md explains what is measured.)";

Status RunBench(DecodeBenchOptions options) {
  if (options.model_path.empty()) options.model_path = DefaultModelPath();
  StatusArea area(DetectTerminal());
  const auto progress = [&area](const std::string& line) { area.SetStatus({line}); };
  const Result<std::vector<DecodeBenchRow>> rows = RunDecodeBench(options, progress);
  area.Clear();
  if (!rows) return FailWith(rows);
  fmt::print("{}", FormatDecodeBench(*rows));
  return {};
}

}  // namespace

Command AddBench(CLI::App& program) {
  auto options = std::make_shared<DecodeBenchOptions>();
  CLI::App* app = AddSubcommand(program, "bench",
                                "How fast plain sampling is, beside llama.cpp itself", kExamples);
  const auto group = [](CLI::Option* option) { return option->group("Bench"); };
  group(
      app->add_option("-m,--model", options->model_path, "A GGUF file. Default: the default model"))
      ->type_name("FILE");
  group(app->add_option("--streams", options->streams, "Answers written at once; several runs"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 255).description(""))
      ->type_name("N,N,...");
  group(app->add_option("--tokens", options->tokens, "Tokens of each answer"))
      ->check(CLI::Range(1, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app->add_option("--pairs", options->pairs, "Pairs of measurements"))
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->capture_default_str();
  group(app->add_option("--threads", options->threads, "CPU threads. 0: one for each processor"))
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  return {app, [options] { return RunBench(*options); }};
}

}  // namespace plumbline
