#include "plumbline/experiments/compare_runs.h"

#include <unordered_map>

#include "plumbline/core/check.h"
#include "plumbline/core/random.h"
#include "plumbline/stats/paired.h"

namespace plumbline {
namespace {

double Mean(const JudgedRun& run, double JudgedAnswer::* field) {
  double sum = 0;
  for (const JudgedAnswer& answer : run.answers) sum += answer.*field;
  return sum / static_cast<double>(run.answers.size());
}

RandomKey KeyFor(const std::string& purpose, const std::string& run) {
  return RandomKey().Derive("compare").Derive(purpose).Derive(run);
}

RunSummary Summarise(const JudgedRun& run, const ComparisonOptions& options) {
  RunSummary summary;
  summary.name = run.name;
  summary.answers = static_cast<int64_t>(run.answers.size());
  std::vector<double> values;
  for (const JudgedAnswer& answer : run.answers) {
    values.push_back(answer.value);
    summary.good += answer.value > options.threshold ? 1 : 0;
  }
  summary.good_rate =
      WilsonInterval(static_cast<double>(summary.good), summary.answers, options.confidence);
  summary.value =
      BootstrapMean(values, KeyFor("value", run.name), {options.resamples, options.confidence});
  summary.tokens = Mean(run, &JudgedAnswer::tokens);
  summary.tokens_read = Mean(run, &JudgedAnswer::tokens_read);
  summary.seconds = Mean(run, &JudgedAnswer::seconds);
  return summary;
}

// What two runs have in common, prompt by prompt.
struct Differences {
  std::vector<double> good;  // -1, 0 or 1
  std::vector<double> value;
};

Differences Pair(const JudgedRun& run, const JudgedRun& baseline, double threshold) {
  std::unordered_map<std::string, double> values;
  for (const JudgedAnswer& answer : baseline.answers) values[answer.prompt] = answer.value;
  Differences differences;
  for (const JudgedAnswer& answer : run.answers) {
    const auto other = values.find(answer.prompt);
    if (other == values.end()) continue;
    const int here = answer.value > threshold ? 1 : 0;
    const int there = other->second > threshold ? 1 : 0;
    differences.good.push_back(here - there);
    differences.value.push_back(answer.value - other->second);
  }
  return differences;
}

PairedSummary CompareWith(const JudgedRun& baseline, const JudgedRun& run,
                          const ComparisonOptions& options) {
  const Differences differences = Pair(run, baseline, options.threshold);
  PLUMBLINE_CHECK(!differences.value.empty());
  PairedSummary paired;
  paired.name = run.name;
  paired.baseline = baseline.name;
  paired.pairs = static_cast<int64_t>(differences.value.size());
  paired.missing =
      static_cast<int64_t>(run.answers.size() + baseline.answers.size()) - 2 * paired.pairs;
  for (const double good : differences.good) {
    paired.turned_good += good > 0 ? 1 : 0;
    paired.turned_bad += good < 0 ? 1 : 0;
  }
  const BootstrapOptions bootstrap = {options.resamples, options.confidence};
  paired.good_difference =
      BootstrapMean(differences.good, KeyFor("good difference", run.name), bootstrap);
  paired.good_p = SignTest(paired.turned_good, paired.turned_bad);
  paired.value_difference =
      BootstrapMean(differences.value, KeyFor("value difference", run.name), bootstrap);
  paired.value_p =
      SignFlipTest(differences.value, KeyFor("sign flips", run.name), options.resamples);
  return paired;
}

}  // namespace

Comparison CompareRuns(const std::vector<JudgedRun>& runs, const ComparisonOptions& options) {
  Comparison comparison;
  for (const JudgedRun& run : runs) {
    PLUMBLINE_CHECK(!run.answers.empty());
    comparison.runs.push_back(Summarise(run, options));
  }
  for (size_t i = 1; i < runs.size(); ++i) {
    comparison.paired.push_back(CompareWith(runs[0], runs[i], options));
  }
  return comparison;
}

}  // namespace plumbline
