// For the procedures' tests only: scorers that are pure functions of the text, and requests to a
// scripted model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumbline/core/executor.h"
#include "plumbline/model/scripted/scripted_model.h"
#include "plumbline/procedures/procedure.h"

namespace plumbline::testing_support {

/// Judges by a function; logs what it was asked.
class FunctionScorer : public Scorer {
 public:
  explicit FunctionScorer(std::function<double(const std::string&)> value)
      : value_(std::move(value)) {}
  std::string Name() const override { return "function"; }
  Task<Result<std::vector<Judgement>>> Score(const Dialogue&, std::vector<std::string> replies,
                                             Call) override {
    std::vector<Judgement> judgements;
    for (const std::string& reply : replies) judgements.push_back({value_(reply), {}});
    batches.push_back(std::move(replies));
    co_return judgements;
  }
  std::vector<std::vector<std::string>> batches;

 private:
  std::function<double(const std::string&)> value_;
};

/// -1, 0 or 1 by the text's hash, with the given shares of -1 and of 0.
inline std::function<double(const std::string&)> HashedVotes(uint64_t seed, double bad,
                                                             double undecided) {
  return [=](const std::string& text) {
    const double x = RandomStream(RandomKey(seed).Derive(text)).NextUniform();
    return x < bad ? -1.0 : x < bad + undecided ? 0.0 : 1.0;
  };
}

inline std::vector<std::string> SmallVocabulary() {
  return {"a", " b", " c", " d", " e", " f", " g", " h", " i", " j", " k", " l", ",", ".", " m"};
}

inline ScriptedOptions SmallModel(uint64_t seed, int embedding_size = 8) {
  ScriptedOptions options;
  options.words = SmallVocabulary();
  options.logits = HashedLogits(options.words.size(), seed);
  options.embedding_size = embedding_size;
  return options;
}

/// A request; keep it alive while the procedure runs.
struct Request {
  Request(ScriptedModel& model, Scorer* scorer, uint64_t seed, int max_tokens) {
    input.model = &model;
    input.scorer = scorer;
    input.dialogue = {{Role::kUser, "a b c"}};
    input.prompt = *model.Open(PlainPrompt("a b c"));
    input.key = RandomKey(seed);
    input.limits.max_tokens = max_tokens;
    input.call = {&usage, stop.get_token()};
  }
  Request(const Request&) = delete;
  Usage usage;
  std::stop_source stop;
  ProcedureInput input;
};

/// Hears everything.
class Recorder : public ProcedureObserver {
 public:
  void OnCommit(std::string_view text) override { commits.emplace_back(text); }
  void OnCandidate(int, int, double value) override { values.push_back(value); }
  void OnSearch(const SearchProgress& progress) override { searches.push_back(progress); }
  std::string Text() const {
    std::string text;
    for (const std::string& piece : commits) text += piece;
    return text;
  }
  std::vector<std::string> commits;
  std::vector<double> values;
  std::vector<SearchProgress> searches;
};

}  // namespace plumbline::testing_support
