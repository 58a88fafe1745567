#include "plumbline/model/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "plumbline/core/check.h"

#if defined(__GNUC__)
#define PLUMBLINE_INLINE inline __attribute__((always_inline))
#else
#define PLUMBLINE_INLINE inline
#endif

namespace plumbline {
namespace {

// Rows are handled in blocks of fixed size and lanes of fixed width: compilers turn the lane loops
// into vector instructions, and since the order of every sum is written down here, the result
// doesn't depend on which instructions those are.
constexpr size_t kBlock = 64;
constexpr size_t kLanes = 8;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr double kTopPTolerance = 1e-6;
constexpr int kFirstGuess = 64;     // Tokens that usually hold the mass that top-p asks for.
constexpr size_t kHeapLimit = 512;  // Above, sorting all costs less than a heap.

size_t BlockCount(size_t size) { return (size + kBlock - 1) / kBlock; }

/// e^x for x <= 0 with a relative error below 3e-7; 0 below -87 (where float becomes subnormal).
PLUMBLINE_INLINE float ExpNonPositive(float x) {
  constexpr float kSmallest = -87.0f;
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;  // Few bits: its product with n is exact.
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer.
  const float clamped = x > kSmallest ? x : kSmallest;
  const float shifted = clamped * kLog2E + kRounder;
  const float n = shifted - kRounder;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  // Taylor to degree 7: the next term is below 6e-9.
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  // The low bits of `shifted` hold n: moved to the exponent they make 2^n.
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) << 23) + 0x3F800000u;
  const float result = sum * std::bit_cast<float>(exponent);
  return x > kSmallest ? result : 0.0f;
}

/// Combines a block's numbers pairwise, halves with halves, until one is left.
template <typename Combine>
PLUMBLINE_INLINE float Halve(std::array<float, kBlock>& block, Combine combine) {
  for (size_t half = kBlock / 2; half >= kLanes; half /= 2) {
    for (size_t j = 0; j < half; ++j) block[j] = combine(block[j], block[j + half]);
  }
  float result = block[0];
  for (size_t j = 1; j < kLanes; ++j) result = combine(result, block[j]);
  return result;
}

PLUMBLINE_INLINE void BlockMaxima(const float* logits, size_t blocks, float* maxima) {
  for (size_t b = 0; b < blocks; ++b) {
    std::array<float, kBlock> block;
    std::copy(logits + b * kBlock, logits + (b + 1) * kBlock, block.begin());
    maxima[b] = Halve(block, [](float x, float y) { return x > y ? x : y; });
  }
}

struct Scale {
  float max;
  float inverse_temperature;
};

/// Writes each logit's weight and each block's sum of weights.
PLUMBLINE_INLINE void WeighBlocks(std::span<const float> logits, Scale scale, float* weights,
                                  double* sums) {
  for (size_t b = 0; b < logits.size() / kBlock; ++b) {
    const float* x = &logits[b * kBlock];
    std::array<float, kBlock> block;
    for (size_t j = 0; j < kBlock; ++j) {
      block[j] = ExpNonPositive((x[j] - scale.max) * scale.inverse_temperature);
    }
    std::copy(block.begin(), block.end(), weights + b * kBlock);
    sums[b] = Halve(block, [](float y, float z) { return y + z; });
  }
}

// The same code twice: for any machine, and for the eight lanes that nearly every x86 has. Both
// give the same bits.
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) void BlockMaximaAvx2(const float* logits, size_t blocks,
                                                     float* maxima) {
  BlockMaxima(logits, blocks, maxima);
}
__attribute__((target("avx2"))) void WeighBlocksAvx2(std::span<const float> logits, Scale scale,
                                                     float* weights, double* sums) {
  WeighBlocks(logits, scale, weights, sums);
}
bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}
#else
constexpr bool HasAvx2() { return false; }
constexpr auto BlockMaximaAvx2 = BlockMaxima;
constexpr auto WeighBlocksAvx2 = WeighBlocks;
#endif

/// The last, incomplete block, filled up with impossible tokens.
std::array<float, kBlock> PaddedTail(std::span<const float> logits) {
  std::array<float, kBlock> tail;
  tail.fill(kMinusInfinity);
  const size_t begin = logits.size() / kBlock * kBlock;
  std::copy(logits.begin() + begin, logits.end(), tail.begin());
  return tail;
}

/// Whether a ranks before b: the larger logit, then the smaller id.
struct RanksBefore {
  std::span<const float> logits;
  bool operator()(TokenId a, TokenId b) const {
    if (logits[a] != logits[b]) return logits[a] > logits[b];
    return a < b;
  }
};

}  // namespace

bool UsesRandomNumbers(const Draw& draw) { return !draw.greedy && draw.sampling.temperature > 0; }

void TokenSampler::Summarise(std::span<const float> logits, LogitRow& row) {
  row.logits = logits;
  const size_t full = logits.size() / kBlock;
  row.block_max.resize(BlockCount(logits.size()));
  (HasAvx2() ? BlockMaximaAvx2 : BlockMaxima)(logits.data(), full, row.block_max.data());
  if (full < row.block_max.size()) {
    BlockMaxima(PaddedTail(logits).data(), 1, &row.block_max[full]);
  }
  row.max = *std::max_element(row.block_max.begin(), row.block_max.end());
  PLUMBLINE_CHECK(std::isfinite(row.max));
}

void TokenSampler::SetLogits(std::span<const float> logits) {
  PLUMBLINE_CHECK(!logits.empty());
  Summarise(logits, model_row_);
  model_weights_.ready = false;
  top_.clear();
}

void TokenSampler::Weigh(const LogitRow& row, double temperature, WeightRow& weights) {
  const std::span<const float> logits = row.logits;
  const Scale scale{row.max, static_cast<float>(1.0 / temperature)};
  const size_t full = logits.size() / kBlock;
  weights.block_sums.resize(BlockCount(logits.size()));
  weights.weights.resize(weights.block_sums.size() * kBlock);
  (HasAvx2() ? WeighBlocksAvx2 : WeighBlocks)(logits.first(full * kBlock), scale,
                                              weights.weights.data(), weights.block_sums.data());
  if (full < weights.block_sums.size()) {
    const std::array<float, kBlock> tail = PaddedTail(logits);
    WeighBlocks(tail, scale, &weights.weights[full * kBlock], &weights.block_sums[full]);
  }
  weights.sum = std::accumulate(weights.block_sums.begin(), weights.block_sums.end(), 0.0);
  weights.log_sum = std::log(weights.sum);
  weights.ready = true;
}

TokenId TokenSampler::Walk(const WeightRow& row, double uniform) {
  const double target = uniform * row.sum;
  double cumulated = 0;
  size_t block = 0;
  while (block + 1 < row.block_sums.size() && cumulated + row.block_sums[block] <= target) {
    cumulated += row.block_sums[block++];
  }
  // Rounding may leave the target a hair above the block's end: then its last possible token.
  while (row.block_sums[block] == 0) --block;
  size_t last = block * kBlock;
  for (size_t i = block * kBlock; i < (block + 1) * kBlock; ++i) {
    if (row.weights[i] == 0) continue;
    last = i;
    cumulated += row.weights[i];
    if (cumulated > target) break;
  }
  return static_cast<TokenId>(last);
}

TokenId TokenSampler::ArgMax(const LogitRow& row) {
  const auto block = std::find(row.block_max.begin(), row.block_max.end(), row.max);
  const auto begin = row.logits.begin() + (block - row.block_max.begin()) * kBlock;
  return static_cast<TokenId>(std::find(begin, row.logits.end(), row.max) - row.logits.begin());
}

void TokenSampler::SelectTop(const LogitRow& row, int k, std::vector<TokenId>& top) {
  const std::span<const float> logits = row.logits;
  const size_t count = std::min<size_t>(k, logits.size());
  const RanksBefore ranks_before{logits};
  if (count > kHeapLimit) {
    top.resize(logits.size());
    std::iota(top.begin(), top.end(), 0);
    std::nth_element(top.begin(), top.begin() + (count - 1), top.end(), ranks_before);
    top.resize(count);
    std::sort(top.begin(), top.end(), ranks_before);
    return;
  }
  top.resize(count);
  std::iota(top.begin(), top.end(), 0);
  // A heap with the last-ranked on top. Ids rise, so an equal logit never displaces an older one,
  // and a block whose largest doesn't beat the last-ranked is skipped whole.
  std::make_heap(top.begin(), top.end(), ranks_before);
  for (size_t i = count; i < logits.size();) {
    const size_t block_end = std::min((i / kBlock + 1) * kBlock, logits.size());
    if (row.block_max[i / kBlock] <= logits[top.front()]) {
      i = block_end;
      continue;
    }
    for (; i < block_end; ++i) {
      if (logits[i] <= logits[top.front()]) continue;
      std::pop_heap(top.begin(), top.end(), ranks_before);
      top.back() = static_cast<TokenId>(i);
      std::push_heap(top.begin(), top.end(), ranks_before);
    }
  }
  std::sort_heap(top.begin(), top.end(), ranks_before);
}

const TokenSampler::WeightRow& TokenSampler::ModelWeights() {
  if (!model_weights_.ready) Weigh(model_row_, 1.0, model_weights_);
  return model_weights_;
}

const TokenSampler::LogitRow& TokenSampler::RuleLogits(const Sampling& sampling,
                                                       std::span<const TokenId> path) {
  const size_t window = std::min<size_t>(sampling.penalty_window, path.size());
  if (sampling.repetition_penalty == 1.0 || window == 0) return model_row_;
  const std::span<const float> logits = model_row_.logits;
  penalised_logits_.assign(logits.begin(), logits.end());
  const auto penalty = static_cast<float>(sampling.repetition_penalty);
  for (const TokenId token : path.last(window)) {
    // From the original logit, so that a token used twice is penalised once.
    const float logit = logits[token];
    penalised_logits_[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
  Summarise(penalised_logits_, penalised_row_);
  penalised_top_.clear();
  return penalised_row_;
}

const TokenSampler::WeightRow& TokenSampler::RuleWeights(const LogitRow& row, double temperature) {
  if (&row == &model_row_ && temperature == 1.0) return ModelWeights();
  Weigh(row, temperature, rule_weights_);
  return rule_weights_;
}

std::span<const TokenId> TokenSampler::TopOf(const LogitRow& row, int k) {
  std::vector<TokenId>& top = &row == &model_row_ ? top_ : penalised_top_;
  const size_t count = std::min<size_t>(k, row.logits.size());
  if (top.size() < count) SelectTop(row, k, top);
  return std::span<const TokenId>(top).first(count);
}

std::span<const TokenId> TokenSampler::KeepTopP(const LogitRow& row, const Sampling& sampling) {
  const bool all = sampling.top_k == 0;
  const auto weight = [&row](TokenId token) {
    return std::exp(double{row.logits[token]} - double{row.max});
  };
  std::span<const TokenId> top = TopOf(row, all ? kFirstGuess : sampling.top_k);
  double total = 0;
  if (all) {
    total = RuleWeights(row, 1.0).sum;
  } else {
    for (const TokenId token : top) total += weight(token);
  }
  const double wanted = sampling.top_p * total * (1 - kTopPTolerance);
  double mass = 0;
  for (size_t i = 0; i < top.size(); ++i) {
    mass += weight(top[i]);
    if (mass >= wanted) return top.first(i + 1);
    if (all && i + 1 == top.size()) top = TopOf(row, static_cast<int>(8 * top.size()));
  }
  return top;
}

std::span<const TokenId> TokenSampler::Keep(const LogitRow& row, const Sampling& sampling) {
  kept_.clear();
  const double log_min_p =
      sampling.min_p > 0 ? std::log(sampling.min_p) : -std::numeric_limits<double>::infinity();
  const auto passes = [&](TokenId token) {
    const float logit = row.logits[token];
    return logit != kMinusInfinity && double{logit} - double{row.max} >= log_min_p;
  };
  if (sampling.top_k == 0 && sampling.top_p == 1.0) {
    for (size_t i = 0; i < row.logits.size(); ++i) {
      if (passes(static_cast<TokenId>(i))) kept_.push_back(static_cast<TokenId>(i));
    }
    return kept_;
  }
  const std::span<const TokenId> top =
      sampling.top_p < 1.0 ? KeepTopP(row, sampling) : TopOf(row, sampling.top_k);
  std::copy_if(top.begin(), top.end(), std::back_inserter(kept_), passes);
  std::sort(kept_.begin(), kept_.end());
  return kept_;
}

double TokenSampler::KeptWeights(const LogitRow& row, std::span<const TokenId> kept,
                                 double temperature) {
  kept_weights_.clear();
  double sum = 0;
  for (const TokenId token : kept) {
    const double difference = double{row.logits[token]} - double{row.max};
    kept_weights_.push_back(std::exp(difference / temperature));
    sum += kept_weights_.back();
  }
  return sum;
}

SampledToken TokenSampler::Report(TokenId token, double log_prob) {
  return {token, static_cast<float>(log_prob), static_cast<float>(ModelLogProb(token))};
}

namespace {

bool CutsNothing(const Sampling& sampling, size_t vocabulary) {
  const bool all = sampling.top_k == 0 || static_cast<size_t>(sampling.top_k) >= vocabulary;
  return all && sampling.top_p >= 1.0 && sampling.min_p <= 0.0;
}

}  // namespace

SampledToken TokenSampler::Sample(const Sampling& sampling, std::span<const TokenId> path,
                                  double uniform) {
  if (sampling.temperature == 0) return Greedy(sampling, path);
  const LogitRow& row = RuleLogits(sampling, path);
  const auto scaled = [&](TokenId token) {
    return (double{row.logits[token]} - double{row.max}) / sampling.temperature;
  };
  if (CutsNothing(sampling, row.logits.size())) {
    const WeightRow& weights = RuleWeights(row, sampling.temperature);
    const TokenId token = Walk(weights, uniform);
    return Report(token, scaled(token) - weights.log_sum);
  }
  const std::span<const TokenId> kept = Keep(row, sampling);
  const double sum = KeptWeights(row, kept, sampling.temperature);
  const double target = uniform * sum;
  double cumulated = 0;
  size_t i = 0;
  while (i + 1 < kept.size() && (cumulated += kept_weights_[i]) <= target) ++i;
  while (kept_weights_[i] == 0) --i;  // Underflow at a low temperature; the largest weighs 1.
  return Report(kept[i], scaled(kept[i]) - std::log(sum));
}

SampledToken TokenSampler::Greedy(const Sampling& sampling, std::span<const TokenId> path) {
  const LogitRow& row = RuleLogits(sampling, path);
  const TokenId token = ArgMax(row);
  if (sampling.temperature == 0) return Report(token, 0);
  // The largest weighs 1 at every temperature, so its log-probability is minus the log of the sum.
  if (CutsNothing(sampling, row.logits.size())) {
    return Report(token, -RuleWeights(row, sampling.temperature).log_sum);
  }
  return Report(token, -std::log(KeptWeights(row, Keep(row, sampling), sampling.temperature)));
}

SampledToken TokenSampler::Next(const Draw& draw, std::span<const TokenId> path,
                                RandomStream& random) {
  if (draw.greedy) return Greedy(draw.sampling, path);
  const double uniform = UsesRandomNumbers(draw) ? random.NextUniform() : 0;
  return Sample(draw.sampling, path, uniform);
}

double TokenSampler::ModelLogProb(TokenId token) {
  const double difference = double{model_row_.logits[token]} - double{model_row_.max};
  return difference - ModelWeights().log_sum;
}

std::span<const TokenId> TokenSampler::Top(int k) { return TopOf(model_row_, k); }

}  // namespace plumbline
