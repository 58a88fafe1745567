#include "plumbline/procedures/rain.h"

#include <algorithm>
#include <numeric>

#include "plumbline/core/check.h"
#include "plumbline/core/text.h"
#include "plumbline/procedures/answer_writer.h"
#include "plumbline/procedures/rain_search.h"

namespace plumbline {
namespace {

/// A plain continuation in pieces that end at clause marks, so that a good beginning can be kept.
struct Draft {
  std::vector<TokenSet> pieces;
  Judgement judgement;  ///< Of the answer with the whole draft.

  std::string Text(size_t begin, size_t end) const {
    std::string text;
    for (size_t i = begin; i < end; ++i) text += pieces[i].text;
    return text;
  }
};

double ModelLogProb(const TokenSet& set) {
  const double sum = std::accumulate(set.model_log_probs.begin(), set.model_log_probs.end(), 0.0);
  return set.finish == FinishReason::kEndOfText ? sum + set.end_model_log_prob : sum;
}

/// One request.
class RainRun {
 public:
  RainRun(const ProcedureInput& input, const RainOptions& options, int token_limit)
      : input_(input),
        options_(options),
        token_limit_(token_limit),
        search_(input, options, token_limit),
        writer_(input.limits, input.observer),
        budget_(input.limits, *input.call.usage) {}

  Task<Status> SearchEverywhere();
  Task<Status> SearchWhereTheJudgeObjects();
  Answer Finish();

 private:
  bool OutOfBudget() { return (out_of_budget_ = budget_.Exceeded()).has_value(); }
  bool Ended() const { return finished_ || writer_.stopped() || writer_.tokens() >= token_limit_; }

  // Everywhere.
  Task<Result<std::string>> SearchAtRoot();
  void CommitChild(NodeId child, std::string stopped_by);
  void CommitBestLeaf(std::string stopped_by);

  // Where the judge objects.
  Task<Result<Draft>> WriteDraft();
  Task<Result<std::vector<Judgement>>> Judge(std::vector<std::string> continuations);
  Task<Result<size_t>> CountGoodPieces(const Draft& draft);
  Task<Status> SearchInstead(const Draft& draft, size_t begin);
  void CommitPieces(const Draft& draft, size_t begin, size_t end, TraceCommit commit);

  void SetFinish(FinishReason finish) {
    finish_ = finish;
    finished_ = finish == FinishReason::kEndOfText || finish == FinishReason::kStopString;
  }
  /// Everything that becomes final goes through here.
  void Commit(TraceCommit commit, int tokens, double log_prob);

  const ProcedureInput& input_;
  const RainOptions& options_;
  int token_limit_;
  RainSearch search_;
  AnswerWriter writer_;
  Budget budget_;
  Branch position_;  ///< After what is committed; draft_first only.
  Answer answer_;
  SearchTrace trace_;
  FinishReason finish_ = FinishReason::kLength;
  bool finished_ = false;  ///< The model ended the text.
  std::optional<StopCause> out_of_budget_;
  int runs_ = 0;  ///< Continuations drawn for drafts.
  int searches_ = 0;
};

void RainRun::Commit(TraceCommit commit, int tokens, double log_prob) {
  writer_.Append(commit.text, tokens, log_prob);
  ++answer_.commits;
  answer_.searched_commits += commit.how == "search" || commit.how == "leaf" ? 1 : 0;
  answer_.chosen.value = commit.value;
  if (options_.trace) trace_.commits.push_back(std::move(commit));
}

// --- Everywhere ---------------------------------------------------------------------------------

Task<Status> RainRun::SearchEverywhere() {
  SearchStart start;
  start.branch = input_.prompt;
  start.key = input_.key.Derive("rain");
  search_.Start(std::move(start));
  while (!Ended()) {
    auto stopped_by = co_await SearchAtRoot();
    PLUMBLINE_CO_TRY(stopped_by);
    if (out_of_budget_) {
      CommitBestLeaf(std::move(*stopped_by));
      break;
    }
    const Status expanded = co_await search_.ExpandRoot();
    PLUMBLINE_CO_TRY(expanded);
    CommitChild(LeadingChild(search_.tree(), search_.tree().root()), std::move(*stopped_by));
  }
  co_return Status{};
}

Task<Result<std::string>> RainRun::SearchAtRoot() {
  const int limit =
      RainVisitLimit(search_.inherited_visits(), options_.visits, options_.extra_visits);
  std::vector<Stopper> stoppers{ConfidentLeader(options_.stop_value, options_.stop_visits),
                                VisitLimit(limit)};
  return search_.Run(std::move(stoppers), [this] { return OutOfBudget(); });
}

void RainRun::CommitChild(NodeId child, std::string stopped_by) {
  PLUMBLINE_CHECK(child != kNoNode);
  const RainNode& node = search_.data(child);
  TraceCommit commit;
  commit.how = "search";
  commit.node = child;
  commit.text = node.text;
  commit.visits = search_.visits_since_commit();
  commit.stopped_by = std::move(stopped_by);
  commit.value = search_.tree().node(child).q;
  SetFinish(node.finish);
  Commit(std::move(commit), static_cast<int>(node.tokens.size()), node.log_prob);
  search_.CommitChild(child);
}

void RainRun::CommitBestLeaf(std::string stopped_by) {
  const NodeId root = search_.tree().root();
  const NodeId leaf = search_.best_leaf() != kNoNode ? search_.best_leaf() : root;
  if (!search_.data(leaf).evaluation) return;
  const LeafEvaluation& evaluation = *search_.data(leaf).evaluation;
  TraceCommit commit;
  commit.how = "leaf";
  commit.node = leaf;
  commit.visits = search_.visits_since_commit();
  commit.stopped_by = std::move(stopped_by);
  commit.value = evaluation.judgement.value;
  int tokens = evaluation.rolled_tokens;
  double log_prob = evaluation.rolled_log_prob;
  for (const NodeId id : search_.PathTo(leaf)) {
    commit.text += search_.data(id).text;
    tokens += static_cast<int>(search_.data(id).tokens.size());
    log_prob += search_.data(id).log_prob;
  }
  commit.text += evaluation.rolled_text;
  SetFinish(evaluation.finish);
  position_ = evaluation.end;
  Commit(std::move(commit), tokens, log_prob);
}

// --- Where the judge objects --------------------------------------------------------------------

Task<Status> RainRun::SearchWhereTheJudgeObjects() {
  position_ = input_.prompt;
  while (!Ended() && !OutOfBudget()) {
    auto draft = co_await WriteDraft();
    PLUMBLINE_CO_TRY(draft);
    const double value = draft->judgement.value;
    if (value >= options_.commit_value || searches_ >= options_.max_searches || OutOfBudget()) {
      TraceCommit commit;
      commit.how = "draft";
      commit.value = value;
      CommitPieces(*draft, 0, draft->pieces.size(), std::move(commit));
      continue;
    }
    auto good = co_await CountGoodPieces(*draft);
    PLUMBLINE_CO_TRY(good);
    const Status searched = co_await SearchInstead(*draft, *good);
    PLUMBLINE_CO_TRY(searched);
  }
  co_return Status{};
}

Task<Result<Draft>> RainRun::WriteDraft() {
  Draft draft;
  Branch end = position_;
  int left = std::min(options_.draft_tokens, token_limit_ - writer_.tokens());
  std::string text = writer_.raw();
  while (left > 0) {
    const Draw draw{.sampling = input_.sampling, .key = input_.key.Derive("draft").Derive(runs_++)};
    Until until;
    until.max_tokens = left;
    until.clause = true;
    until.stop_strings = input_.limits.stop_strings;
    auto set = co_await ContinueOne(*input_.model, end, draw, std::move(until), input_.call);
    if (!set) co_return FailWith(set);
    left -= static_cast<int>(set->tokens.size());
    end = set->end;
    const size_t before = text.size();
    text += set->text;
    const bool cut = CutAtStop(text, input_.limits.stop_strings, before).size() < text.size();
    draft.pieces.push_back(std::move(*set));
    if (draft.pieces.back().finished() || cut) break;
  }
  std::vector<std::string> whole{draft.Text(0, draft.pieces.size())};
  auto judged = co_await Judge(std::move(whole));
  if (!judged) co_return FailWith(judged);
  draft.judgement = judged->front();
  if (options_.trace) {
    trace_.drafts.push_back({draft.Text(0, draft.pieces.size()),
                             draft.judgement.value,
                             draft.judgement.good_probabilities,
                             {}});
  }
  co_return draft;
}

Task<Result<std::vector<Judgement>>> RainRun::Judge(std::vector<std::string> continuations) {
  std::vector<std::string> replies;
  for (const std::string& continuation : continuations) {
    const std::string answer = writer_.raw() + continuation;
    const std::string_view cut = CutAtStop(answer, input_.limits.stop_strings);
    replies.emplace_back(cut.substr(0, CompleteUtf8Prefix(cut)));
  }
  return input_.scorer->Score(input_.dialogue, std::move(replies), input_.call);
}

Task<Result<size_t>> RainRun::CountGoodPieces(const Draft& draft) {
  // Evenly spread over the inner clause ends; the last end is the whole draft, which is bad.
  const size_t inner = draft.pieces.size() - 1;
  const size_t count = std::min<size_t>(inner, options_.draft_prefixes);
  if (count == 0) co_return size_t{0};
  std::vector<size_t> ends;
  std::vector<std::string> prefixes;
  for (size_t i = 1; i <= count; ++i) {
    ends.push_back(i * (inner + 1) / (count + 1));
    prefixes.push_back(draft.Text(0, ends.back()));
  }
  auto judged = co_await Judge(std::move(prefixes));
  if (!judged) co_return FailWith(judged);
  size_t good = 0;
  bool still_good = true;
  for (size_t i = 0; i < count; ++i) {
    still_good = still_good && (*judged)[i].value >= options_.commit_value;
    if (still_good) good = ends[i];
    if (options_.trace) trace_.drafts.back().prefix_values.push_back((*judged)[i].value);
  }
  if (good > 0) {
    TraceCommit commit;
    commit.how = "prefix";
    CommitPieces(draft, 0, good, std::move(commit));
  }
  co_return good;
}

void RainRun::CommitPieces(const Draft& draft, size_t begin, size_t end, TraceCommit commit) {
  commit.text = draft.Text(begin, end);
  int tokens = 0;
  double log_prob = 0;
  for (size_t i = begin; i < end; ++i) {
    tokens += static_cast<int>(draft.pieces[i].tokens.size());
    log_prob += ModelLogProb(draft.pieces[i]);
  }
  const TokenSet& last = draft.pieces[end - 1];
  position_ = last.end;
  SetFinish(last.finish);
  Commit(std::move(commit), tokens, log_prob);
}

Task<Status> RainRun::SearchInstead(const Draft& draft, size_t begin) {
  SearchStart start;
  start.branch = position_;
  start.answer = writer_.raw();
  start.tokens = writer_.tokens();
  start.depth = DepthOfLength(options_, start.tokens);
  start.key = input_.key.Derive("rain").Derive(searches_++);
  search_.Start(std::move(start));
  // The draft is the root's roll-forward: already written and judged.
  LeafEvaluation known;
  known.rolled_text = draft.Text(begin, draft.pieces.size());
  known.judgement = draft.judgement;
  search_.SetRootEvaluation(std::move(known));
  std::vector<Stopper> stoppers{ClearLeaf(options_.clear_value), VisitLimit(options_.visits)};
  auto stopped_by = co_await search_.Run(std::move(stoppers), [this] { return OutOfBudget(); });
  PLUMBLINE_CO_TRY(stopped_by);
  const NodeId leaf = search_.best_leaf();
  if (leaf != kNoNode && search_.data(leaf).evaluation->judgement.value > draft.judgement.value) {
    CommitBestLeaf(std::move(*stopped_by));
  } else {
    TraceCommit commit;
    commit.how = "draft";
    commit.visits = search_.visits_since_commit();
    commit.stopped_by = std::move(*stopped_by);
    commit.value = draft.judgement.value;
    CommitPieces(draft, begin, draft.pieces.size(), std::move(commit));
  }
  co_return Status{};
}

// --- The end ------------------------------------------------------------------------------------

Answer RainRun::Finish() {
  writer_.Close();
  answer_.visits = search_.total_visits();
  answer_.chosen.text = writer_.text();
  answer_.chosen.tokens = writer_.tokens();
  answer_.chosen.log_prob = writer_.log_prob();
  answer_.chosen.finish = writer_.stopped() ? FinishReason::kStopString : finish_;
  answer_.cause = CauseOf(answer_.chosen.finish);
  if (out_of_budget_ && !Ended()) answer_.cause = *out_of_budget_;
  if (!options_.trace) return std::move(answer_);
  trace_.preset = options_.preset;
  trace_.model = input_.model->info().name;
  trace_.scorer = input_.scorer->Name();
  trace_.key = input_.key.value();
  search_.FillTrace(trace_);
  trace_.answer = answer_.chosen.text;
  trace_.stop_cause = StopCauseName(answer_.cause);
  trace_.usage = *input_.call.usage;
  trace_.time_ms = budget_.elapsed_ms();
  answer_.trace = std::make_shared<SearchTrace>(std::move(trace_));
  return std::move(answer_);
}

}  // namespace

Task<Result<Answer>> Rain(ProcedureInput input, RainOptions options) {
  PLUMBLINE_CO_TRY(ValidateInput(input, /*needs_scorer=*/true));
  PLUMBLINE_CO_TRY(ValidateRainOptions(options));
  PLUMBLINE_CO_ASSIGN(const int token_limit, AnswerTokenLimit(input));
  RainRun run(input, options, token_limit);
  Status written;
  if (options.draft_first) {
    written = co_await run.SearchWhereTheJudgeObjects();
  } else {
    written = co_await run.SearchEverywhere();
  }
  PLUMBLINE_CO_TRY(written);
  co_return run.Finish();
}

}  // namespace plumbline
