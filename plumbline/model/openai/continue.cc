#include <algorithm>

#include "plumbline/core/check.h"
#include "plumbline/model/openai/remote_model.h"
#include "plumbline/model/openai/token_rules.h"

namespace plumbline::openai {
namespace {

Status ValidateContinue(const std::vector<Draw>& draws, const Until& until) {
  if (until.max_tokens < 1) {
    return Fail(ErrorCode::kInvalidArgument, "max_tokens must be 1 or more");
  }
  for (const std::string& stop : until.stop_strings) {
    if (stop.empty()) return Fail(ErrorCode::kInvalidArgument, "a stop string is empty");
  }
  for (const Draw& draw : draws) PLUMBLINE_TRY(ValidateSampling(draw.sampling));
  return {};
}

/// A completion with the bytes of each token, while it is cut to size.
struct Cutting {
  std::vector<RemoteStep> steps;
  std::vector<std::string> pieces;
  std::string text;
  FinishReason finish = FinishReason::kLength;
};

void CutAtClause(Cutting& cutting) {
  const auto end = std::find_if(cutting.pieces.begin(), cutting.pieces.end(), EndsClause);
  if (end == cutting.pieces.end()) return;
  const size_t kept = static_cast<size_t>(end - cutting.pieces.begin()) + 1;
  cutting.steps.resize(kept);
  cutting.pieces.resize(kept);
  cutting.text.clear();
  for (const std::string& piece : cutting.pieces) cutting.text += piece;
  cutting.finish = FinishReason::kClause;
}

/// For servers that don't look for stop strings themselves. Keeps the tokens that begin before it.
void CutAtStopString(const std::vector<std::string>& stop_strings, Cutting& cutting) {
  size_t cut = std::string::npos;
  for (const std::string& stop : stop_strings) cut = std::min(cut, cutting.text.find(stop));
  if (cut == std::string::npos) return;
  cutting.text.resize(cut);
  cutting.finish = FinishReason::kStopString;
  size_t begin = 0;
  size_t kept = 0;
  while (kept < cutting.pieces.size() && begin < cut) begin += cutting.pieces[kept++].size();
  cutting.steps.resize(kept);
  cutting.pieces.resize(kept);
}

/// Whether the last token is the end of text, which is no part of the text.
bool ListsEndOfText(const Cutting& cutting) {
  return cutting.finish == FinishReason::kEndOfText && !cutting.steps.empty() &&
         cutting.pieces.back().empty();
}

FinishReason ReasonOf(const RemoteChoice& choice, const Until& until) {
  if (!choice.stopped) return FinishReason::kLength;
  const bool by_string = choice.by_stop_string.value_or(!until.stop_strings.empty());
  return by_string ? FinishReason::kStopString : FinishReason::kEndOfText;
}

/// The bytes of the choice's tokens, by the server's own word if it gives bytes.
std::vector<std::string> PiecesOf(const RemoteChoice& choice) {
  const bool exact = !choice.steps.empty() && choice.steps[0].chosen.id.has_value();
  if (!exact) return AlignTokens(choice.steps, choice.text);
  std::vector<std::string> pieces;
  for (const RemoteStep& step : choice.steps) pieces.push_back(step.chosen.text);
  return pieces;
}

}  // namespace

Result<TokenSet> RemoteModel::MakeSet(const PathPtr& path, RemoteChoice choice,
                                      const Sampling& sampling, const Until& until) {
  Cutting cutting;
  cutting.finish = ReasonOf(choice, until);
  cutting.pieces = PiecesOf(choice);
  cutting.text = std::move(choice.text);
  cutting.steps = std::move(choice.steps);
  std::optional<RemoteStep> end;
  if (ListsEndOfText(cutting)) {
    end = std::move(cutting.steps.back());
    if (tokens_.end_of_text().empty()) tokens_.LearnEndOfText(end->chosen.text);
    cutting.steps.pop_back();
    cutting.pieces.pop_back();
  }
  if (cutting.finish == FinishReason::kLength && cutting.steps.empty()) {
    return Fail(ErrorCode::kRemote, CompletionWhere() + ": the server generated nothing",
                "the prompt may fill its context: check the context size it was started with");
  }
  if (until.clause) CutAtClause(cutting);
  if (cutting.finish != FinishReason::kStopString) CutAtStopString(until.stop_strings, cutting);
  // A text that is cut off inside a character comes without that character's first bytes.
  if (server_.speaks_token_ids() && cutting.finish == FinishReason::kLength) {
    cutting.text.clear();
    for (const std::string& piece : cutting.pieces) cutting.text += piece;
  }
  TokenSet set;
  for (const RemoteStep& step : cutting.steps) {
    set.tokens.push_back(tokens_.Intern(step.chosen));
    set.model_log_probs.push_back(static_cast<float>(step.chosen.log_prob));
    set.log_probs.push_back(static_cast<float>(RuleLogProb(step, sampling)));
  }
  set.text = std::move(cutting.text);
  set.finish = cutting.finish;
  if (end.has_value() && set.finish == FinishReason::kEndOfText) {
    set.end_model_log_prob = end->chosen.log_prob;
    set.end_log_prob = RuleLogProb(*end, sampling);
  }
  set.end = server_.speaks_token_ids()
                ? Branch(std::make_shared<PathState>(path, set.text, set.tokens))
                : Branch(std::make_shared<PathState>(path, set.text,
                                                     static_cast<int>(set.tokens.size())));
  return set;
}

CompletionWish RemoteModel::ContinueWish(const DrawJob& job, const Until& part) const {
  CompletionWish wish;
  wish.prompt = PromptOf(job.path);
  wish.max_tokens = part.max_tokens;
  wish.count = static_cast<int>(job.count());
  wish.sampling = job.draw.sampling;
  if (job.draw.greedy) wish.sampling.temperature = 0;
  wish.top_log_probs = IsModelsOwnRule(job.draw.sampling) ? 1 : options_.top_log_probs;
  wish.key = job.draw.key;
  wish.stop_strings = part.stop_strings;
  return wish;
}

Status RemoteModel::TakePart(const std::vector<DrawJob>& jobs,
                             std::vector<RemoteCompletion> completions, const Until& part,
                             DrawProgress& progress) {
  for (size_t j = 0; j < jobs.size(); ++j) {
    const DrawJob& job = jobs[j];
    for (size_t i = 0; i < job.count(); ++i) {
      RemoteChoice& choice = completions[j].choices[i];
      PLUMBLINE_ASSIGN(TokenSet next,
                       MakeSet(job.path, std::move(choice), job.draw.sampling, part));
      // Fewer tokens than were asked for: the context is full.
      const bool goes_on = next.finish == FinishReason::kLength && progress.left > 0 &&
                           next.tokens.size() == static_cast<size_t>(part.max_tokens);
      TokenSet set = JoinSets(job.so_far, std::move(next), part.stop_strings);
      progress.Take(job.PlacesOf(i), std::move(set), goes_on);
    }
  }
  return {};
}

Task<Result<std::vector<TokenSet>>> RemoteModel::Continue(Branch branch, std::vector<Draw> draws,
                                                          Until until, Call call) {
  PLUMBLINE_CO_TRY(ValidateContinue(draws, until));
  if (call.usage != nullptr) ++call.usage->calls;
  const PathPtr path = PathOf(branch);
  std::vector<PathPtr> paths{path};
  const Status prepared = co_await Prepare(std::move(paths), call);
  if (!prepared.has_value()) co_return FailWith(prepared);
  // llama-server says why it stopped only for the first of n.
  const bool one_by_one = server_.kind == ServerKind::kLlamaServer && !until.stop_strings.empty();
  const size_t largest = one_by_one ? 1 : static_cast<size_t>(server_.max_completions);
  DrawProgress progress(draws, until.max_tokens);
  std::vector<DrawJob> jobs = GroupDraws(draws, path, largest);
  while (!jobs.empty()) {
    Until part = until;
    part.max_tokens = progress.BeginPart(until.clause);
    std::vector<CompletionWish> wishes;
    for (const DrawJob& job : jobs) wishes.push_back(ContinueWish(job, part));
    auto completions = co_await Complete(std::move(wishes), call);
    if (!completions.has_value()) co_return FailWith(completions);
    const Status taken = TakePart(jobs, std::move(*completions), part, progress);
    if (!taken.has_value()) co_return FailWith(taken);
    jobs = progress.EndPart();
  }
  co_return std::move(progress.sets);
}

}  // namespace plumbline::openai
