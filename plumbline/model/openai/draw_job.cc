#include "plumbline/model/openai/draw_job.h"

#include <algorithm>
#include <utility>

namespace plumbline::openai {
namespace {

/// Most clauses are this short.
constexpr int kFirstClauseTokens = 8;
constexpr int kMostDoublings = 20;

bool SameRule(const Draw& a, const Draw& b) {
  const Sampling& s = a.sampling;
  const Sampling& t = b.sampling;
  return a.greedy == b.greedy && s.repetition_penalty == t.repetition_penalty &&
         s.penalty_window == t.penalty_window && s.top_k == t.top_k && s.top_p == t.top_p &&
         s.min_p == t.min_p && s.temperature == t.temperature;
}

template <typename T>
void Append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

std::vector<DrawJob> GroupDraws(const std::vector<Draw>& draws, const PathPtr& path,
                                size_t largest) {
  std::vector<DrawJob> jobs;
  for (size_t i = 0; i < draws.size(); ++i) {
    const auto fits = [&](const DrawJob& job) {
      return SameRule(job.draw, draws[i]) && (job.greedy() || job.places.size() < largest);
    };
    const auto job = std::find_if(jobs.begin(), jobs.end(), fits);
    if (job == jobs.end()) {
      jobs.push_back({draws[i], path, {}, {i}});
    } else {
      job->places.push_back(i);
    }
  }
  return jobs;
}

TokenSet JoinSets(TokenSet so_far, TokenSet next, const std::vector<std::string>& stop_strings) {
  Append(so_far.tokens, next.tokens);
  Append(so_far.log_probs, next.log_probs);
  Append(so_far.model_log_probs, next.model_log_probs);
  so_far.text += next.text;
  so_far.end_log_prob = next.end_log_prob;
  so_far.end_model_log_prob = next.end_model_log_prob;
  so_far.finish = next.finish;
  so_far.end = std::move(next.end);
  for (const std::string& stop : stop_strings) {
    const size_t cut = so_far.text.find(stop);
    if (cut == std::string::npos) continue;
    so_far.text.resize(cut);
    so_far.finish = FinishReason::kStopString;
  }
  return so_far;
}

int DrawProgress::BeginPart(bool clause) {
  const int largest = clause ? kFirstClauseTokens << std::min(part_, kMostDoublings) : left;
  const int tokens = std::min(left, largest);
  left -= tokens;
  return tokens;
}

void DrawProgress::Take(const std::vector<size_t>& places, TokenSet set, bool goes_on) {
  if (!goes_on || set.finished()) {
    for (const size_t place : places) sets[place] = set;
    return;
  }
  Draw next = draws_[places[0]];
  next.key = next.key.Derive("part").Derive(static_cast<uint64_t>(part_));
  PathPtr end = std::dynamic_pointer_cast<const PathState>(set.end.state());
  unfinished_.push_back({next, std::move(end), std::move(set), places});
}

std::vector<DrawJob> DrawProgress::EndPart() {
  ++part_;
  return std::exchange(unfinished_, {});
}

}  // namespace plumbline::openai
