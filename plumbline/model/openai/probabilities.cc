#include <algorithm>

#include "plumbline/core/check.h"
#include "plumbline/model/openai/remote_model.h"
#include "plumbline/model/openai/token_rules.h"

namespace plumbline::openai {
namespace {

/// An option that is neither listed nor can be asked for lies below the least likely listed token;
/// it is taken to be this much less likely, in nats. docs/remote.md says when that happens.
constexpr double kUnlistedMargin = 1.0;

using Known = std::vector<std::optional<double>>;

tl::unexpected<Error> SameFirstToken(const std::string& a, const std::string& b) {
  return Fail(ErrorCode::kUnsupported,
              "the options '" + a + "' and '" + b + "' begin with the same token",
              "choose options that differ from their first token on");
}

/// The first tokens of the options, which must differ.
Result<std::vector<TokenId>> FirstTokens(const std::vector<std::vector<TokenId>>& lists,
                                         const std::vector<std::string>& options) {
  std::vector<TokenId> first;
  for (size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].empty()) {
      return Fail(ErrorCode::kInvalidArgument, "the option '" + options[i] + "' has no token");
    }
    const auto same = std::find(first.begin(), first.end(), lists[i][0]);
    if (same != first.end()) {
      return SameFirstToken(options[static_cast<size_t>(same - first.begin())], options[i]);
    }
    first.push_back(lists[i][0]);
  }
  return first;
}

Known LookUpIds(const RemoteStep& step, const std::vector<TokenId>& ids) {
  Known known(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    for (const RemoteToken& token : step.top) {
      if (token.id == ids[i]) known[i] = token.log_prob;
    }
  }
  return known;
}

/// An option's first token is taken to be the longest listed one with which the option begins.
Result<Known> LookUpTexts(const RemoteStep& step, const std::vector<std::string>& options) {
  Known known(options.size());
  std::vector<const RemoteToken*> tokens(options.size(), nullptr);
  for (size_t i = 0; i < options.size(); ++i) {
    for (const RemoteToken& token : step.top) {
      if (token.text.empty() || !options[i].starts_with(token.text)) continue;
      if (tokens[i] == nullptr || token.text.size() > tokens[i]->text.size()) tokens[i] = &token;
    }
    if (tokens[i] == nullptr) continue;
    known[i] = tokens[i]->log_prob;
    const auto same =
        std::find(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(i), tokens[i]);
    if (same != tokens.begin() + static_cast<ptrdiff_t>(i)) {
      return SameFirstToken(options[static_cast<size_t>(same - tokens.begin())], options[i]);
    }
  }
  return known;
}

double Bound(const RemoteStep& step) {
  return (step.top.empty() ? step.chosen : step.top.back()).log_prob - kUnlistedMargin;
}

/// An error that says "this server can't", not "it is gone".
bool IsRefusal(const Error& error) {
  return error.code == ErrorCode::kRemote || error.code == ErrorCode::kUnsupported ||
         error.code == ErrorCode::kNotFound;
}

/// Log-probabilities of the tokens in the bytes [begin, end) of an echoed text; the first one is
/// that which holds byte `begin`.
Result<std::vector<double>> EchoedSpan(const RemoteChoice& choice, size_t begin, size_t end,
                                       const std::string& where) {
  const std::vector<std::string> pieces = AlignTokens(choice.steps, choice.text);
  std::vector<double> log_probs;
  size_t at = 0;
  for (size_t i = 0; i < pieces.size() && at < end; ++i) {
    at += pieces[i].size();
    if (at <= begin || pieces[i].empty()) continue;
    if (!choice.steps[i].known) {
      return Fail(ErrorCode::kUnsupported, where + ": nothing precedes the text to be scored");
    }
    log_probs.push_back(choice.steps[i].chosen.log_prob);
  }
  return log_probs;
}

}  // namespace

CompletionWish RemoteModel::NextTokenWish(const PathPtr& path, int top_log_probs) const {
  CompletionWish wish;
  wish.prompt = PromptOf(path);
  wish.sampling.temperature = 0;
  wish.top_log_probs = top_log_probs;
  return wish;
}

Task<Result<std::vector<TokenProbability>>> RemoteModel::TopTokens(Branch branch, int k,
                                                                   Call call) {
  if (k < 1) co_return Fail(ErrorCode::kInvalidArgument, "k must be 1 or more");
  if (call.usage != nullptr) ++call.usage->calls;
  const PathPtr path = PathOf(branch);
  std::vector<PathPtr> paths{path};
  const Status prepared = co_await Prepare(std::move(paths), call);
  if (!prepared.has_value()) co_return FailWith(prepared);
  std::vector<CompletionWish> wishes{NextTokenWish(path, k)};
  auto completions = co_await Complete(std::move(wishes), call);
  if (!completions.has_value()) co_return FailWith(completions);
  const RemoteChoice& choice = (*completions)[0].choices[0];
  if (choice.steps.empty()) {
    co_return Fail(ErrorCode::kRemote, CompletionWhere() + ": no token's probability came back");
  }
  std::vector<TokenProbability> tokens;
  for (const RemoteToken& token : choice.steps[0].top) {
    const std::string& end = tokens_.end_of_text();
    const bool ends = server_.speaks_token_ids() ? token.id == server_.end_of_text_id
                                                 : !end.empty() && token.text == end;
    tokens.push_back({tokens_.Intern(token), ends ? "" : token.text, token.log_prob, ends});
  }
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
    return a.log_prob != b.log_prob ? a.log_prob > b.log_prob : a.token < b.token;
  });
  if (tokens.size() > static_cast<size_t>(k)) tokens.resize(static_cast<size_t>(k));
  co_return tokens;
}

/// The model's own log-probability of tokens[i] after prefixes[i]. A bias makes the server draw
/// exactly that token; what it reports is from before the bias.
Task<Result<std::vector<double>>> RemoteModel::ForcedLogProbs(
    std::vector<std::vector<TokenId>> prefixes, std::vector<TokenId> tokens, Call call) {
  std::vector<CompletionWish> wishes;
  for (size_t i = 0; i < tokens.size(); ++i) {
    CompletionWish wish;
    wish.prompt = prefixes[i];
    wish.sampling.temperature = 0;
    wish.forced_token = tokens[i];
    wishes.push_back(std::move(wish));
  }
  const auto completions = co_await Complete(std::move(wishes), call);
  if (!completions.has_value()) co_return FailWith(completions);
  std::vector<double> log_probs;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const RemoteChoice& choice = (*completions)[i].choices[0];
    if (choice.steps.empty() || choice.steps[0].chosen.id != tokens[i]) {
      co_return Fail(ErrorCode::kUnsupported,
                     CompletionWhere() +
                         ": the server doesn't honour logit_bias, by which single "
                         "tokens are scored",
                     "use a newer llama-server");
    }
    log_probs.push_back(choice.steps[0].chosen.log_prob);
  }
  co_return log_probs;
}

/// By the server's own reading of prompt and text together, so a token may reach across the seam;
/// it counts to the text.
Task<Result<std::vector<double>>> RemoteModel::EchoedLogProbs(PathPtr path, std::string text,
                                                              Call call) {
  const std::string before = PathText(path);
  const auto refused = [&] {
    return Fail(ErrorCode::kUnsupported,
                info_.description +
                    " can't score a given text: it doesn't echo prompts with "
                    "their log-probabilities",
                "use vLLM or llama-server for what needs that");
  };
  if (!echoes_) co_return refused();
  CompletionWish wish;
  wish.prompt = before + text;
  wish.sampling.temperature = 0;
  wish.echo = true;
  std::vector<CompletionWish> wishes;
  wishes.push_back(std::move(wish));
  const auto completions = co_await Complete(std::move(wishes), call);
  if (!completions.has_value()) {
    if (!IsRefusal(completions.error())) co_return FailWith(completions);
    echoes_ = false;
    co_return refused();
  }
  const RemoteChoice& choice = (*completions)[0].choices[0];
  if (!choice.text.starts_with(before + text)) {
    echoes_ = false;
    co_return refused();
  }
  co_return EchoedSpan(choice, before.size(), before.size() + text.size(), CompletionWhere());
}

Task<Result<std::vector<double>>> RemoteModel::LogProb(Branch branch, std::string text, Call call) {
  if (call.usage != nullptr) ++call.usage->calls;
  if (text.empty()) co_return std::vector<double>();
  const PathPtr path = PathOf(branch);
  if (!server_.speaks_token_ids()) {
    auto echoed = co_await EchoedLogProbs(path, std::move(text), call);
    co_return echoed;
  }
  std::vector<PathPtr> paths{path};
  const Status prepared = co_await Prepare(std::move(paths), call);
  if (!prepared.has_value()) co_return FailWith(prepared);
  std::vector<Stretch> stretches{{{text, false}, false}};
  const auto lists = co_await Tokenize(std::move(stretches), call);
  if (!lists.has_value()) co_return FailWith(lists);
  const std::vector<TokenId>& tokens = (*lists)[0];
  std::vector<std::vector<TokenId>> prefixes;
  std::vector<TokenId> prefix = PathIds(path);
  for (const TokenId token : tokens) {
    prefixes.push_back(prefix);
    prefix.push_back(token);
  }
  auto log_probs = co_await ForcedLogProbs(std::move(prefixes), tokens, call);
  co_return log_probs;
}

Task<Result<std::vector<std::vector<double>>>> RemoteModel::ChooseByIds(
    std::vector<PathPtr> paths, std::vector<std::string> options, Call call) {
  std::vector<Stretch> stretches;
  for (const std::string& option : options) stretches.push_back({{option, false}, false});
  const auto lists = co_await Tokenize(std::move(stretches), call);
  if (!lists.has_value()) co_return FailWith(lists);
  const auto first = FirstTokens(*lists, options);
  if (!first.has_value()) co_return FailWith(first);
  const Status prepared = co_await Prepare(paths, call);
  if (!prepared.has_value()) co_return FailWith(prepared);
  std::vector<CompletionWish> wishes;
  for (const PathPtr& path : paths) wishes.push_back(NextTokenWish(path, options_.top_log_probs));
  const auto completions = co_await Complete(std::move(wishes), call);
  if (!completions.has_value()) co_return FailWith(completions);
  // What isn't among the likeliest is asked for by itself.
  std::vector<Known> known;
  std::vector<std::vector<TokenId>> prefixes;
  std::vector<TokenId> tokens;
  for (size_t b = 0; b < paths.size(); ++b) {
    const RemoteChoice& choice = (*completions)[b].choices[0];
    known.push_back(choice.steps.empty() ? Known(options.size())
                                         : LookUpIds(choice.steps[0], *first));
    for (size_t o = 0; o < options.size(); ++o) {
      if (known[b][o].has_value()) continue;
      prefixes.push_back(PathIds(paths[b]));
      tokens.push_back((*first)[o]);
    }
  }
  const auto missing = co_await ForcedLogProbs(std::move(prefixes), tokens, call);
  if (!missing.has_value()) co_return FailWith(missing);
  std::vector<std::vector<double>> table(paths.size());
  size_t next = 0;
  for (size_t b = 0; b < paths.size(); ++b) {
    for (const std::optional<double>& value : known[b]) {
      table[b].push_back(value.has_value() ? *value : (*missing)[next++]);
    }
  }
  co_return table;
}

Task<Result<std::vector<std::vector<double>>>> RemoteModel::ChooseByText(
    std::vector<PathPtr> paths, std::vector<std::string> options, Call call) {
  std::vector<CompletionWish> wishes;
  for (const PathPtr& path : paths) wishes.push_back(NextTokenWish(path, options_.top_log_probs));
  const auto completions = co_await Complete(std::move(wishes), call);
  if (!completions.has_value()) co_return FailWith(completions);
  std::vector<std::vector<double>> table;
  std::vector<Task<Result<std::vector<double>>>> asked;
  std::vector<std::pair<size_t, size_t>> places;
  for (size_t b = 0; b < paths.size(); ++b) {
    const RemoteChoice& choice = (*completions)[b].choices[0];
    if (choice.steps.empty()) {
      co_return Fail(ErrorCode::kRemote, CompletionWhere() + ": no token's probability came back");
    }
    const auto known = LookUpTexts(choice.steps[0], options);
    if (!known.has_value()) co_return FailWith(known);
    table.emplace_back(options.size(), Bound(choice.steps[0]));
    for (size_t o = 0; o < options.size(); ++o) {
      if ((*known)[o].has_value()) {
        table[b][o] = *(*known)[o];
      } else if (echoes_) {
        places.emplace_back(b, o);
        asked.push_back(EchoedLogProbs(paths[b], options[o], call));
      }
    }
  }
  const auto answers = co_await WhenAll(std::move(asked));
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].has_value() && !answers[i]->empty()) {
      table[places[i].first][places[i].second] = answers[i]->front();
    } else if (!answers[i].has_value() && !IsRefusal(answers[i].error())) {
      co_return FailWith(answers[i]);
    }
  }
  co_return table;
}

Task<Result<std::vector<std::vector<double>>>> RemoteModel::Choose(std::vector<Branch> branches,
                                                                   std::vector<std::string> options,
                                                                   Call call) {
  if (call.usage != nullptr) ++call.usage->calls;
  if (options.empty()) co_return Fail(ErrorCode::kInvalidArgument, "there are no options");
  for (const std::string& option : options) {
    if (option.empty()) co_return Fail(ErrorCode::kInvalidArgument, "an option is empty");
  }
  std::vector<PathPtr> paths;
  for (const Branch& branch : branches) paths.push_back(PathOf(branch));
  if (server_.speaks_token_ids()) {
    auto table = co_await ChooseByIds(std::move(paths), std::move(options), call);
    co_return table;
  }
  auto table = co_await ChooseByText(std::move(paths), std::move(options), call);
  co_return table;
}

}  // namespace plumbline::openai
