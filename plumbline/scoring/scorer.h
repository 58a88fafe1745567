// What an answer, whole or partial, is worth.
#pragma once

#include <string>
#include <vector>

#include "plumbline/core/result.h"
#include "plumbline/core/task.h"
#include "plumbline/model/language_model.h"

namespace plumbline {

/// The verdict on one text.
struct Judgement {
  double value = 0;  ///< In [-1, 1]; larger is better.
  /// Self-evaluation only: the probability of the good option in each order, renormalised over
  /// the two options. Empty for other scorers.
  std::vector<double> good_probabilities;
};

/// Judges replies to a dialogue. Implementations cache by text where that is sound. Executor
/// thread only.
class Scorer {
 public:
  virtual ~Scorer() = default;

  /// For people and for records: "self-evaluation harmless (soft)".
  virtual std::string Name() const = 0;

  /// One judgement for each reply to `dialogue` (which ends with the user's message), in the order
  /// given, all in the same batches. A reply may be unfinished.
  virtual Task<Result<std::vector<Judgement>>> Score(const Dialogue& dialogue,
                                                     std::vector<std::string> replies,
                                                     Call call) = 0;
};

}  // namespace plumbline
