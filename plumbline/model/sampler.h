// From a row of logits to a token: the one place where `Sampling` becomes arithmetic, shared by
// every backend that sees logits.
//
// The rule, in the order of Sampling's fields: the repetition penalty divides positive and
// multiplies negative logits of recent tokens; top-k keeps the k largest; top-p the smallest set of
// largest tokens with at least that share of what top-k kept (to a relative 1e-6); min-p drops what
// is below its share of the largest; the temperature divides the logits that are left. Equal logits
// rank by id, the smaller first. A token is drawn by walking the kept tokens in the order of their
// ids until their cumulated probability exceeds the random number, so a cut that cuts nothing
// changes nothing.
#pragma once

#include <span>
#include <vector>

#include "plumbline/core/random.h"
#include "plumbline/model/language_model.h"

namespace plumbline {

/// A drawn token and how likely it was, in nats.
struct SampledToken {
  TokenId token = 0;
  float log_prob = 0;        ///< Under the rule; 0 at temperature 0.
  float model_log_prob = 0;  ///< Under the model itself (temperature 1, nothing cut or penalised).
};

/// Whether drawing by this rule consumes a random number for each token.
bool UsesRandomNumbers(const Draw& draw);

/// Draws tokens from rows of logits. Keeps scratch memory and what was computed for the row at
/// hand, so several draws from one row cost little more than one. Not thread-safe: one a thread.
class TokenSampler {
 public:
  /// Takes a row of one logit for each id; borrowed until the next call. Logits may be -infinity
  /// (never drawn) but not NaN, and at least one must be finite.
  void SetLogits(std::span<const float> logits);

  /// The next token of `draw` after `path` (newest token last; only the end is looked at).
  /// Takes one number from `random` if UsesRandomNumbers(draw), else none.
  SampledToken Next(const Draw& draw, std::span<const TokenId> path, RandomStream& random);

  /// One token by the rule. `uniform` is in [0, 1) and ignored at temperature 0.
  SampledToken Sample(const Sampling& sampling, std::span<const TokenId> path, double uniform);

  /// The most likely token (repetition penalty included), with its probability under the rule.
  SampledToken Greedy(const Sampling& sampling, std::span<const TokenId> path);

  /// Nats, under the model itself.
  double ModelLogProb(TokenId token);

  /// The k most likely ids (all if there are fewer), most likely first. Valid until the next call
  /// of a non-const member.
  std::span<const TokenId> Top(int k);

 private:
  /// e^((logit - largest) / temperature) for a whole row, and its sums.
  struct WeightRow {
    bool ready = false;
    std::vector<float> weights;
    std::vector<double> block_sums;
    double sum = 0;
    double log_sum = 0;  ///< ln(sum)
  };
  /// A row of logits with the largest of each block.
  struct LogitRow {
    std::span<const float> logits;
    std::vector<float> block_max;
    float max = 0;
  };

  static void Summarise(std::span<const float> logits, LogitRow& row);
  static void Weigh(const LogitRow& row, double temperature, WeightRow& weights);
  static TokenId Walk(const WeightRow& row, double uniform);
  static TokenId ArgMax(const LogitRow& row);
  static void SelectTop(const LogitRow& row, int k, std::vector<TokenId>& top);

  const WeightRow& ModelWeights();
  const LogitRow& RuleLogits(const Sampling& sampling, std::span<const TokenId> path);
  const WeightRow& RuleWeights(const LogitRow& row, double temperature);
  std::span<const TokenId> TopOf(const LogitRow& row, int k);
  std::span<const TokenId> Keep(const LogitRow& row, const Sampling& sampling);
  std::span<const TokenId> KeepTopP(const LogitRow& row, const Sampling& sampling);
  double KeptWeights(const LogitRow& row, std::span<const TokenId> kept, double temperature);
  SampledToken Report(TokenId token, double log_prob);

  LogitRow model_row_;
  WeightRow model_weights_;  ///< Temperature 1, of model_row_; computed when first needed.
  LogitRow penalised_row_;
  std::vector<float> penalised_logits_;
  WeightRow rule_weights_;    ///< Any other temperature or row.
  std::vector<TokenId> top_;  ///< The largest of model_row_, sorted; holds top_.size() of them.
  std::vector<TokenId> penalised_top_;
  std::vector<TokenId> kept_;  ///< What the rule keeps, by id.
  std::vector<double> kept_weights_;
};

}  // namespace plumbline
