#include "plumbline/model/scripted/scripted_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumbline/core/check.h"

namespace plumbline {
namespace {

constexpr TokenId kEndOfText = 0;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::string_view kClauseMarks = ",.?:;\n";

bool EndsClause(std::string_view token) {
  return token.find_first_of(kClauseMarks) != std::string_view::npos;
}

size_t FirstStop(std::string_view text, const std::vector<std::string>& stops) {
  size_t first = std::string_view::npos;
  for (const std::string& stop : stops) first = std::min(first, text.find(stop));
  return first;
}

}  // namespace

struct ScriptedModel::State : BranchState {
  std::vector<TokenId> path;
};

struct ScriptedModel::Growing {
  Draw draw;
  RandomStream random;
  std::vector<TokenId> path;
  TokenSet set;
  bool done = false;
};

ScriptedModel::ScriptedModel(ScriptedOptions options) : options_(std::move(options)) {
  PLUMBLINE_CHECK(options_.logits != nullptr);
  texts_.push_back("");
  for (const std::string& word : options_.words) {
    PLUMBLINE_CHECK(!word.empty());
    ids_.emplace(word, static_cast<TokenId>(texts_.size()));
    texts_.push_back(word);
    longest_word_ = std::max(longest_word_, word.size());
  }
  PLUMBLINE_CHECK(ids_.size() == options_.words.size());
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    ids_.emplace(text, static_cast<TokenId>(texts_.size()));
    texts_.push_back(text);
  }
  info_.name = options_.name;
  info_.description = "scripted";
  info_.vocabulary_size = static_cast<int>(texts_.size());
  info_.context_tokens = options_.context_tokens;
  info_.deterministic = true;
}

std::vector<TokenId> ScriptedModel::Tokenize(std::string_view text) const {
  std::vector<TokenId> tokens;
  while (!text.empty()) {
    size_t length = std::min(longest_word_, text.size());
    while (!ids_.contains(text.substr(0, length))) --length;
    tokens.push_back(ids_.find(text.substr(0, length))->second);
    text.remove_prefix(length);
  }
  return tokens;
}

TokenId ScriptedModel::WordId(std::string_view word) const {
  const auto found = ids_.find(word);
  PLUMBLINE_CHECK(found != ids_.end());
  return found->second;
}

std::string ScriptedModel::TokenText(TokenId token) const { return texts_.at(token); }

std::vector<TokenId> ScriptedModel::PathOf(const Branch& branch) const {
  PLUMBLINE_CHECK(branch.valid());
  return static_cast<const State&>(*branch.state()).path;
}

Branch ScriptedModel::MakeBranch(std::vector<TokenId> path) const {
  auto state = std::make_shared<State>();
  state->path = std::move(path);
  return Branch(std::move(state));
}

Status ScriptedModel::CheckLength(size_t tokens) const {
  if (tokens <= static_cast<size_t>(options_.context_tokens)) return {};
  return Fail(ErrorCode::kTooLong,
              std::to_string(tokens) + " tokens don't fit the context of " +
                  std::to_string(options_.context_tokens),
              "shorten the prompt or the answer");
}

std::vector<float> ScriptedModel::Logits(std::span<const TokenId> path) const {
  std::vector<float> logits = options_.logits(path);
  PLUMBLINE_CHECK(logits.size() <= texts_.size());
  logits.resize(texts_.size(), kMinusInfinity);
  return logits;
}

bool ScriptedModel::RunRound() {
  std::vector<Queued> answered;
  answered.swap(queue_);
  if (answered.empty()) return false;
  ScriptedRound round;
  for (const Queued& queued : answered) round.rows += queued.rows;
  round.asked = static_cast<int>(answered.size());
  rounds_.push_back(round);
  for (const Queued& queued : answered) queued.asker.resume();
  return true;
}

Status ScriptedModel::Begin(std::string_view verb, int width, const Branch& branch,
                            const Call& call) {
  PLUMBLINE_CHECK(call.usage != nullptr);
  const int number = static_cast<int>(calls_.size());
  calls_.push_back({std::string(verb), width, branch.valid() ? Length(branch) : 0});
  ++call.usage->calls;
  if (options_.failure) {
    if (std::optional<Error> error = options_.failure(number, verb)) return tl::unexpected(*error);
  }
  if (call.stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped on request");
  return {};
}

Result<Prompt> ScriptedModel::FormatChat(const Dialogue& dialogue, const ChatStyle& style) const {
  PLUMBLINE_TRY(ValidateDialogue(dialogue));
  return FormatPlainChat(dialogue, style);
}

Result<int> ScriptedModel::CountTokens(std::string_view text) const {
  return static_cast<int>(Tokenize(text).size());
}

Result<Branch> ScriptedModel::Open(const Prompt& prompt) {
  PLUMBLINE_ASSIGN(Branch branch, Append(MakeBranch({}), prompt));
  if (Length(branch) == 0) {
    return Fail(ErrorCode::kInvalidInput, "the prompt is empty", "give it at least one word");
  }
  return branch;
}

Result<Branch> ScriptedModel::Append(const Branch& branch, const Prompt& more) {
  std::vector<TokenId> path = PathOf(branch);
  for (const PromptPiece& piece : more) {
    const std::vector<TokenId> tokens = Tokenize(piece.text);
    path.insert(path.end(), tokens.begin(), tokens.end());
  }
  PLUMBLINE_TRY(CheckLength(path.size()));
  return MakeBranch(std::move(path));
}

int ScriptedModel::Length(const Branch& branch) const {
  return static_cast<int>(PathOf(branch).size());
}

Result<Branch> ScriptedModel::AppendToken(const Branch& branch, TokenId token) {
  std::vector<TokenId> path = PathOf(branch);
  path.push_back(token);
  PLUMBLINE_TRY(CheckLength(path.size()));
  return MakeBranch(std::move(path));
}

TokenSet ScriptedModel::Finish(Growing growing, FinishReason reason) const {
  growing.set.finish = reason;
  growing.set.end = MakeBranch(std::move(growing.path));
  return std::move(growing.set);
}

void ScriptedModel::Advance(Growing& growing, const Until& until, Usage& usage) {
  const std::vector<float> logits = Logits(growing.path);
  sampler_.SetLogits(logits);
  const SampledToken next = sampler_.Next(growing.draw, growing.path, growing.random);
  ++usage.tokens_read;
  TokenSet& set = growing.set;
  const auto finish = [&](FinishReason reason) {
    set.finish = reason;
    growing.done = true;
  };
  if (next.token == kEndOfText) {
    set.end_log_prob = next.log_prob;
    set.end_model_log_prob = next.model_log_prob;
    return finish(FinishReason::kEndOfText);
  }
  ++usage.tokens_generated;
  growing.path.push_back(next.token);
  set.tokens.push_back(next.token);
  set.log_probs.push_back(next.log_prob);
  set.model_log_probs.push_back(next.model_log_prob);
  set.text += texts_[next.token];
  if (const size_t stop = FirstStop(set.text, until.stop_strings); stop != std::string::npos) {
    set.text.resize(stop);
    return finish(FinishReason::kStopString);
  }
  if (until.clause && EndsClause(texts_[next.token])) return finish(FinishReason::kClause);
  if (static_cast<int>(set.tokens.size()) >= until.max_tokens) finish(FinishReason::kLength);
}

Task<Result<std::vector<TokenSet>>> ScriptedModel::Continue(Branch branch, std::vector<Draw> draws,
                                                            Until until, Call call) {
  PLUMBLINE_CHECK(until.max_tokens >= 1);
  PLUMBLINE_CO_TRY(Begin("Continue", static_cast<int>(draws.size()), branch, call));
  std::vector<Growing> growing;
  for (const Draw& draw : draws) {
    PLUMBLINE_CO_TRY(ValidateSampling(draw.sampling));
    growing.push_back({draw, RandomStream(draw.key), PathOf(branch), {}, false});
  }
  const auto count_open = [&growing] {
    return std::count_if(growing.begin(), growing.end(), [](const Growing& g) { return !g.done; });
  };
  while (const auto open = count_open()) {
    Waiting rows{this, static_cast<int>(open)};
    co_await rows;
    if (call.stop.stop_requested()) {
      co_return Fail(ErrorCode::kCancelled, "stopped on request");
    }
    for (Growing& one : growing) {
      if (one.done) continue;
      PLUMBLINE_CO_TRY(CheckLength(one.path.size() + 1));
      Advance(one, until, *call.usage);
    }
  }
  std::vector<TokenSet> sets;
  for (Growing& one : growing) {
    const FinishReason reason = one.set.finish;
    sets.push_back(Finish(std::move(one), reason));
  }
  co_return sets;
}

Task<Result<std::vector<TokenProbability>>> ScriptedModel::TopTokens(Branch branch, int k,
                                                                     Call call) {
  PLUMBLINE_CO_TRY(Begin("TopTokens", k, branch, call));
  Waiting rows{this, 1};
  co_await rows;
  if (call.stop.stop_requested()) co_return Fail(ErrorCode::kCancelled, "stopped on request");
  ++call.usage->tokens_read;
  const std::vector<float> logits = Logits(PathOf(branch));
  sampler_.SetLogits(logits);
  std::vector<TokenProbability> top;
  const std::span<const TokenId> ids = sampler_.Top(k);
  const std::vector<TokenId> best(ids.begin(), ids.end());
  for (const TokenId id : best) {
    if (logits[id] == kMinusInfinity) break;
    top.push_back({id, texts_[id], sampler_.ModelLogProb(id), id == kEndOfText});
  }
  co_return top;
}

Task<Result<std::vector<std::vector<double>>>> ScriptedModel::Choose(
    std::vector<Branch> branches, std::vector<std::string> options, Call call) {
  const int width = static_cast<int>(branches.size());
  PLUMBLINE_CO_TRY(Begin("Choose", width, width > 0 ? branches.front() : Branch(), call));
  std::vector<TokenId> firsts;
  for (const std::string& option : options) {
    const std::vector<TokenId> tokens = Tokenize(option);
    const bool clash = !tokens.empty() && std::count(firsts.begin(), firsts.end(), tokens[0]) > 0;
    if (tokens.empty() || clash) {
      co_return Fail(ErrorCode::kUnsupported,
                     "option '" + option + "' doesn't begin with a token of its own");
    }
    firsts.push_back(tokens[0]);
  }
  Waiting rows{this, width};
  co_await rows;
  if (call.stop.stop_requested()) co_return Fail(ErrorCode::kCancelled, "stopped on request");
  call.usage->tokens_read += width;
  std::vector<std::vector<double>> result;
  for (const Branch& branch : branches) {
    const std::vector<float> logits = Logits(PathOf(branch));
    sampler_.SetLogits(logits);
    std::vector<double>& row = result.emplace_back();
    for (const TokenId first : firsts) row.push_back(sampler_.ModelLogProb(first));
  }
  co_return result;
}

Task<Result<std::vector<double>>> ScriptedModel::LogProb(Branch branch, std::string text,
                                                         Call call) {
  const std::vector<TokenId> tokens = Tokenize(text);
  const int count = static_cast<int>(tokens.size());
  PLUMBLINE_CO_TRY(Begin("LogProb", count, branch, call));
  std::vector<TokenId> path = PathOf(branch);
  PLUMBLINE_CO_TRY(CheckLength(path.size() + tokens.size()));
  Waiting rows{this, count};
  co_await rows;
  if (call.stop.stop_requested()) co_return Fail(ErrorCode::kCancelled, "stopped on request");
  call.usage->tokens_read += count;
  std::vector<double> log_probs;
  for (const TokenId token : tokens) {
    const std::vector<float> logits = Logits(path);
    sampler_.SetLogits(logits);
    log_probs.push_back(sampler_.ModelLogProb(token));
    path.push_back(token);
  }
  co_return log_probs;
}

Task<Result<std::vector<std::vector<float>>>> ScriptedModel::Embed(std::vector<std::string> texts,
                                                                   Call call) {
  const int width = static_cast<int>(texts.size());
  PLUMBLINE_CO_TRY(Begin("Embed", width, Branch(), call));
  Waiting rows{this, 0};
  co_await rows;
  if (call.stop.stop_requested()) co_return Fail(ErrorCode::kCancelled, "stopped on request");
  std::vector<std::vector<float>> embeddings;
  for (const std::string& text : texts) {
    std::vector<float>& sum = embeddings.emplace_back(options_.embedding_size, 0.0f);
    for (const TokenId token : Tokenize(text)) {
      ++call.usage->tokens_embedded;
      RandomStream direction{RandomKey(0x656d626564).Derive(texts_[token])};
      for (float& x : sum) x += static_cast<float>(direction.NextUniform() - 0.5);
    }
    double norm = 0;
    for (const float x : sum) norm += double{x} * x;
    if (norm == 0) {
      sum[0] = 1;
      continue;
    }
    for (float& x : sum) x = static_cast<float>(x / std::sqrt(norm));
  }
  co_return embeddings;
}

std::function<std::vector<float>(std::span<const TokenId>)> HashedLogits(
    size_t words, uint64_t seed, double range, double end_bias, int memory) {
  return [=](std::span<const TokenId> path) {
    RandomKey key(seed);
    for (const TokenId token : path.last(std::min<size_t>(memory, path.size()))) {
      key = key.Derive(static_cast<uint64_t>(token));
    }
    RandomStream random{key};
    std::vector<float> logits{static_cast<float>(end_bias)};
    for (size_t i = 0; i < words; ++i) {
      logits.push_back(static_cast<float>(range * (2 * random.NextUniform() - 1)));
    }
    return logits;
  };
}

}  // namespace plumbline
