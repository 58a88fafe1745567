// RAIN a second time, for the trace test: docs/rain.md written to be obvious and slow. It expands
// eagerly, recomputes means and shares from scratch, walks the scripted model's distribution in
// double precision without the sampler, knows no batches, and shares with the real one only the
// names of the random streams.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "plumbline/core/executor.h"
#include "plumbline/model/scripted/scripted_model.h"
#include "plumbline/procedures/rain_options.h"

namespace plumbline::testing_support {

struct NaiveSet {
  std::vector<TokenId> tokens;
  std::string text;
  bool end = false;
  double probability = 1;  // Under the rule, the end included.
};

struct NaiveNode {
  NaiveNode* parent = nullptr;
  int depth = 0;
  NaiveSet set;
  std::vector<TokenId> path;  // Prompt included.
  std::string name;           // Texts of all token sets from the start of the answer.
  RandomKey key;
  double n = 0, q = 0, p = 0, weight = 0;
  int fn = 0, add_attempts = 0;
  std::vector<std::vector<double>> embedded;
  std::vector<std::unique_ptr<NaiveNode>> children;
  bool finished = false;
};

struct NaiveVisit {
  std::vector<std::string> path;
  double value;
};

class NaiveRain {
 public:
  NaiveRain(const ScriptedOptions& model, std::function<double(const std::string&)> value,
            RainOptions options, int max_tokens)
      : options_(std::move(options)),
        logits_(model.logits),
        words_(model.words),
        embedder_(model),
        value_(std::move(value)),
        max_tokens_(max_tokens) {}

  void Answer(const std::vector<TokenId>& prompt, RandomKey key) {
    prompt_tokens_ = prompt.size();
    auto start = std::make_unique<NaiveNode>();
    start->path = prompt;
    start->key = key.Derive("rain");
    NaiveNode* root = start.get();
    first = std::move(start);
    while (!root->finished) {
      const int limit = std::max(options_.visits, root->fn + options_.extra_visits);
      while (root->fn < limit) {
        Visit(root);
        const NaiveNode* best = Best(root);
        if (best != nullptr && best->q > options_.stop_value && best->fn > options_.stop_visits) {
          ++early_stops;
          break;
        }
      }
      root = Best(root);
      commits.push_back(root->set.text);
      MixPriors(*root);
    }
  }

  std::unique_ptr<NaiveNode> first;
  std::vector<NaiveVisit> visits;
  std::vector<std::string> commits;
  int early_stops = 0, additions = 0, shares = 0;

 private:
  // --- The model, by its definition.
  std::vector<double> Probabilities(const std::vector<TokenId>& path) {
    const std::vector<float> logits = logits_(path);
    std::vector<double> p;
    double sum = 0;
    for (const float logit : logits) sum += std::exp(double{logit});
    for (const float logit : logits) p.push_back(std::exp(double{logit}) / sum);
    return p;
  }
  static std::vector<TokenId> Ranked(const std::vector<double>& p) {
    std::vector<TokenId> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return p[a] > p[b]; });
    return order;
  }
  NaiveSet Generate(std::vector<TokenId> path, int count, int top_k, const RandomKey* key,
                    bool clause) {
    NaiveSet set;
    RandomStream random(key != nullptr ? *key : RandomKey(0));
    while (static_cast<int>(set.tokens.size()) < count) {
      std::vector<double> p = Probabilities(path);
      std::vector<TokenId> kept = Ranked(p);
      const TokenId greedy = kept[0];
      if (top_k > 0 && top_k < static_cast<int>(kept.size())) kept.resize(top_k);
      double sum = 0;
      for (const TokenId token : kept) sum += p[token];
      TokenId chosen = greedy;
      if (key != nullptr) {
        std::sort(kept.begin(), kept.end());
        const double u = random.NextUniform();
        double cumulated = 0;
        for (const TokenId token : kept) {
          chosen = token;
          cumulated += p[token] / sum;
          if (cumulated > u) break;
        }
      }
      set.probability *= p[chosen] / sum;
      if (chosen == 0) {
        set.end = true;
        return set;
      }
      path.push_back(chosen);
      set.tokens.push_back(chosen);
      set.text += words_[chosen - 1];
      if (clause && (words_[chosen - 1] == "," || words_[chosen - 1] == ".")) break;
    }
    return set;
  }
  std::vector<double> Embed(const std::string& text) {
    Usage usage;
    Executor executor({&embedder_});
    std::vector<std::string> texts{text};
    const auto vectors = *executor.Run(embedder_.Embed(texts, {&usage, {}}));
    return {vectors[0].begin(), vectors[0].end()};
  }

  // --- rain.md, paragraph by paragraph.
  static double Cosine(const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return ab / (std::sqrt(aa) * std::sqrt(bb));
  }
  static std::vector<double> Mean(const std::vector<std::vector<double>>& vectors) {
    std::vector<double> mean(vectors[0].size());
    for (const auto& v : vectors) {
      for (size_t i = 0; i < v.size(); ++i) mean[i] += v[i] / static_cast<double>(vectors.size());
    }
    return mean;
  }
  int Answered(const NaiveNode& node) const {
    return static_cast<int>(node.path.size() - prompt_tokens_);
  }
  int LengthBelow(const NaiveNode& node) const {
    const int schedule = node.depth < static_cast<int>(options_.set_lengths.size())
                             ? options_.set_lengths[node.depth]
                             : options_.set_lengths.back();
    return std::min(schedule, max_tokens_ - Answered(node));
  }
  static std::string AnswerText(const NaiveNode* node) {
    return node == nullptr ? "" : AnswerText(node->parent) + node->set.text;
  }

  void Visit(NaiveNode* root) {
    std::vector<NaiveNode*> path{root};
    while (!path.back()->children.empty()) {
      MaybeAdd(*path.back(), root);
      path.push_back(Select(*path.back()));
    }
    NaiveNode* leaf = path.back();
    NaiveSet roll;
    const std::string answer = AnswerText(leaf);
    const bool clause_done =
        !answer.empty() && std::string(",.").find(answer.back()) != std::string::npos;
    if (!leaf->finished && !clause_done) {
      const RandomKey key = leaf->key.Derive("roll");
      roll = Generate(leaf->path, max_tokens_ - Answered(*leaf), 0, &key, true);
    }
    const double v = value_(answer + roll.text);
    if (leaf->children.empty() && !leaf->finished) Expand(*leaf, leaf == root);
    visits.push_back({{}, v});
    for (const NaiveNode* node : path) visits.back().path.push_back(node->name);
    std::string text = roll.text;
    for (size_t i = path.size(); i-- > 0;) {
      NaiveNode& node = *path[i];
      node.n += 1;
      node.fn += 1;
      node.q += (v - node.q) / node.n;
      text = node.set.text + text;
      if (&node == root) continue;
      q_min_ = std::min(q_min_, node.q);
      q_max_ = std::max(q_max_, node.q);
      if (text.empty() || options_.similarity == SimilarityUse::kOff) continue;
      node.embedded.push_back(Embed(text));
      for (const auto& sibling : node.parent->children) {
        if (sibling.get() == &node || sibling->embedded.empty()) continue;
        const double cosine = Cosine(Mean(node.embedded), Mean(sibling->embedded));
        if (cosine < options_.sharing.threshold) continue;
        const double w = options_.sharing.weight * cosine;
        sibling->n += w;
        sibling->q += w * (v - sibling->q) / sibling->n;
        ++shares;
      }
    }
  }

  NaiveNode* Select(NaiveNode& node) {
    std::vector<double> scores;
    for (const auto& child : node.children) {
      const double qh = child->fn == 0 ? 0 : (child->q - q_min_) / (q_max_ - q_min_ + 1e-5);
      scores.push_back(qh + options_.c_puct * child->p * std::sqrt(node.n) / (1 + child->n));
    }
    return node.children[std::max_element(scores.begin(), scores.end()) - scores.begin()].get();
  }

  void Expand(NaiveNode& node, bool is_root) {
    std::vector<NaiveSet> sets;
    const int length = LengthBelow(node);
    if (length == 1) {
      const std::vector<double> p = Probabilities(node.path);
      for (const TokenId token : Ranked(p)) {
        if (static_cast<int>(sets.size()) < options_.top_tokens) sets.push_back(Single(token, p));
      }
    } else {
      const RandomKey key = node.key.Derive("expand");
      sets.push_back(Generate(node.path, length, options_.sample_top_k, nullptr, false));
      for (int i = 0; i < options_.samples; ++i) {
        const RandomKey draw = key.Derive(i);
        const NaiveSet set = Generate(node.path, length, options_.sample_top_k, &draw, false);
        const bool known = std::any_of(sets.begin(), sets.end(), [&](const NaiveSet& other) {
          return other.tokens == set.tokens && other.end == set.end;
        });
        if (!known) sets.push_back(set);
      }
      if (sets.size() > 1) {
        double sum = 0, largest = 0, smallest = 1;
        for (size_t i = 1; i < sets.size(); ++i) {
          sum += sets[i].probability;
          largest = std::max(largest, sets[i].probability);
          smallest = std::min(smallest, sets[i].probability);
        }
        sets[0].probability = std::max(std::min(sets[0].probability, sum), largest + smallest);
      }
    }
    double total = 0;
    for (const NaiveSet& set : sets) total += set.probability;
    for (const NaiveSet& set : sets) AddChild(node, set, set.probability / total);
    if (is_root) MixPriors(node);
  }

  NaiveSet Single(TokenId token, const std::vector<double>& p) const {
    NaiveSet set;
    set.probability = p[token];
    if (token == 0) {
      set.end = true;
    } else {
      set.tokens = {token};
      set.text = words_[token - 1];
    }
    return set;
  }

  void AddChild(NaiveNode& parent, const NaiveSet& set, double prior) {
    auto child = std::make_unique<NaiveNode>();
    child->parent = &parent;
    child->depth = parent.depth + 1;
    child->set = set;
    child->path = parent.path;
    child->path.insert(child->path.end(), set.tokens.begin(), set.tokens.end());
    child->name = parent.name + "|" + set.text + (set.end ? "$" : "");
    child->key = parent.key.Derive(set.text).Derive(set.end ? 1 : 0);
    child->p = prior;
    child->weight = set.probability;
    child->finished = set.end || Answered(*child) >= max_tokens_;
    parent.children.push_back(std::move(child));
  }

  void MixPriors(NaiveNode& node) {
    double sum = 0;
    for (const auto& child : node.children) {
      child->p = (1 - options_.uniform_share) * child->p +
                 options_.uniform_share / static_cast<double>(node.children.size());
      sum += child->p;
    }
    for (const auto& child : node.children) child->p /= sum;
  }

  void MaybeAdd(NaiveNode& node, const NaiveNode* root) {
    const size_t count = node.children.size();
    if (count < 2 || static_cast<int>(count) >= options_.add.max_children) return;
    double best = -2;
    std::vector<std::vector<double>> means;
    for (const auto& child : node.children) {
      if (child->embedded.empty()) return;
      means.push_back(Mean(child->embedded));
      best = std::max(best, child->q);
    }
    const std::vector<double> center = Mean(means);
    double norm = 0;
    for (size_t i = 0; i < center.size(); ++i) {
      double variance = 0;
      for (const auto& mean : means) variance += std::pow(mean[i] - center[i], 2);
      norm += std::pow(variance / static_cast<double>(count - 1), 2);
    }
    const int length = LengthBelow(node);
    if (std::sqrt(norm) >= options_.add.variance * length || best >= options_.add.value) return;
    NaiveSet set;
    if (length == 1) {
      const std::vector<double> p = Probabilities(node.path);
      const std::vector<TokenId> ranked = Ranked(p);
      if (ranked.size() <= count) return;
      set = Single(ranked[count], p);
    } else {
      const RandomKey key = node.key.Derive("add").Derive(node.add_attempts++);
      set = Generate(node.path, length, options_.sample_top_k, &key, false);
    }
    double total = set.probability;
    for (const auto& child : node.children) {
      if (child->set.tokens == set.tokens && child->set.end == set.end) return;
      total += child->weight;
    }
    double prior = set.probability / total;
    if (&node == root) {
      prior = (1 - options_.uniform_share) * prior +
              options_.uniform_share / static_cast<double>(count + 1);
    }
    AddChild(node, set, prior);
    ++additions;
  }

  static NaiveNode* Best(NaiveNode* node) {
    NaiveNode* best = nullptr;
    for (const auto& child : node->children) {
      if (best == nullptr || std::pair(child->n, child->q) > std::pair(best->n, best->q)) {
        best = child.get();
      }
    }
    return best;
  }

  RainOptions options_;
  std::function<std::vector<float>(std::span<const TokenId>)> logits_;
  std::vector<std::string> words_;
  ScriptedModel embedder_;
  std::function<double(const std::string&)> value_;
  int max_tokens_;
  size_t prompt_tokens_ = 0;
  double q_min_ = -1, q_max_ = 1;
};

}  // namespace plumbline::testing_support
