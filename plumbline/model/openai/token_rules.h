// What a remote's tokens mean to us: probabilities under a sampling rule, clause ends, and which
// bytes of the text belong to which token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/model/language_model.h"
#include "plumbline/model/openai/completion_answer.h"

namespace plumbline::openai {

/// Whether the rule is the model's own distribution: nothing cut, temperature 1. (A repetition
/// penalty is left out of account: see RuleLogProb.)
bool IsModelsOwnRule(const Sampling& sampling);

/// Log-probability of the chosen token, nats, under `sampling`, from the model's log-probabilities
/// of it and of the most likely tokens. Exact if the rule keeps only tokens that are listed, or if
/// it is the model's own, or at temperature 0; else the unlisted tokens, whose mass is known,
/// count as if each were as likely as the last listed one. A repetition penalty is not applied: a
/// server doesn't report the logits that it works on.
double RuleLogProb(const RemoteStep& step, const Sampling& sampling);

/// Whether a token ends a clause: it holds one of , . ? : ; or a newline.
bool EndsClause(std::string_view token);

/// The bytes of `text` that each token stands for, in order. Where the server shows a token as
/// something else than its bytes (a part of a UTF-8 character), the bytes in question are given to
/// the last token before the next one that is recognised. Tokens beyond `text` (the end of text, a
/// stop string) get nothing.
std::vector<std::string> AlignTokens(const std::vector<RemoteStep>& steps, std::string_view text);

}  // namespace plumbline::openai
