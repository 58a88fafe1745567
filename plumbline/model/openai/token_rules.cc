#include "plumbline/model/openai/token_rules.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace plumbline::openai {
namespace {

/// Top-p counts a mass as reached within this relative error, as the embedded model does.
constexpr double kMassTolerance = 1e-6;

/// The tokens that a rule keeps, of those that are listed.
struct KeptTokens {
  size_t count = 0;
  bool closed = false;  ///< No unlisted token is kept.
};

void CutTopK(const Sampling& sampling, KeptTokens& kept) {
  if (sampling.top_k <= 0 || static_cast<size_t>(sampling.top_k) > kept.count) return;
  kept.count = static_cast<size_t>(sampling.top_k);
  kept.closed = true;
}

void CutTopP(const std::vector<double>& log_probs, const Sampling& sampling, KeptTokens& kept) {
  if (sampling.top_p >= 1) return;
  double total = 1;
  if (kept.closed) {
    total = 0;
    for (size_t i = 0; i < kept.count; ++i) total += std::exp(log_probs[i]);
  }
  double mass = 0;
  for (size_t i = 0; i < kept.count; ++i) {
    mass += std::exp(log_probs[i]);
    if (mass < sampling.top_p * total * (1 - kMassTolerance)) continue;
    kept.count = i + 1;
    kept.closed = true;
    return;
  }
}

void CutMinP(const std::vector<double>& log_probs, const Sampling& sampling, KeptTokens& kept) {
  if (sampling.min_p <= 0) return;
  const double least = log_probs[0] + std::log(sampling.min_p);
  const auto end = log_probs.begin() + static_cast<ptrdiff_t>(kept.count);
  const auto cut = std::find_if(log_probs.begin(), end, [&](double p) { return p < least; });
  if (cut == end) return;
  kept.count = static_cast<size_t>(cut - log_probs.begin());
  kept.closed = true;
}

KeptTokens Keep(const std::vector<double>& log_probs, const Sampling& sampling) {
  KeptTokens kept{log_probs.size(), false};
  CutTopK(sampling, kept);
  CutTopP(log_probs, sampling, kept);
  CutMinP(log_probs, sampling, kept);
  return kept;
}

/// What the unlisted tokens weigh at a temperature.
double TailWeight(const std::vector<double>& log_probs, double temperature) {
  double listed = 0;
  for (const double log_prob : log_probs) listed += std::exp(log_prob);
  const double mass = std::max(0.0, 1 - listed);
  const double each = log_probs.back();
  return mass * std::exp(each / temperature - each);
}

}  // namespace

bool IsModelsOwnRule(const Sampling& sampling) {
  return sampling.temperature == 1 && sampling.top_k == 0 && sampling.top_p >= 1 &&
         sampling.min_p <= 0;
}

double RuleLogProb(const RemoteStep& step, const Sampling& sampling) {
  if (IsModelsOwnRule(sampling)) return step.chosen.log_prob;
  if (sampling.temperature == 0) return 0;  // what was taken is all that the rule allows
  std::vector<double> log_probs;
  for (const RemoteToken& token : step.top) log_probs.push_back(token.log_prob);
  std::sort(log_probs.begin(), log_probs.end(), std::greater<>());
  if (log_probs.empty()) log_probs.push_back(step.chosen.log_prob);
  const KeptTokens kept = Keep(log_probs, sampling);
  const double scale = 1 / sampling.temperature;
  double weights = kept.closed ? 0 : TailWeight(log_probs, sampling.temperature);
  for (size_t i = 0; i < kept.count; ++i) weights += std::exp(log_probs[i] * scale);
  // The server drew it, so it was kept: a tie or a rounding at the edge of the cut.
  const double chosen = step.chosen.log_prob * scale;
  if (kept.closed && step.chosen.log_prob < log_probs[kept.count - 1]) weights += std::exp(chosen);
  return std::min(0.0, chosen - std::log(weights));
}

bool EndsClause(std::string_view token) { return token.find_first_of(",.?:;\n") != token.npos; }

std::vector<std::string> AlignTokens(const std::vector<RemoteStep>& steps, std::string_view text) {
  std::vector<std::string> pieces(steps.size());
  size_t at = 0;
  size_t last_odd = steps.size();  // a token not recognised, whose bytes are still to come
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string& token = steps[i].chosen.text;
    const bool odd_before = last_odd != steps.size();
    // A character has at most four bytes, so what the odd tokens hide is near.
    const size_t found = odd_before ? text.substr(at, 32 + token.size()).find(token)
                         : text.substr(at).starts_with(token) ? 0
                                                              : text.npos;
    if (token.empty() || found == text.npos) {
      if (!token.empty()) last_odd = i;
      continue;
    }
    if (odd_before) pieces[last_odd] = text.substr(at, found);
    at += found;
    pieces[i] = token;
    at += token.size();
    last_odd = steps.size();
  }
  if (last_odd != steps.size()) pieces[last_odd] = text.substr(at);
  return pieces;
}

}  // namespace plumbline::openai
