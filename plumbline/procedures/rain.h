// RAIN: a frozen model judges its own partial answer, goes back, and answers better. Li, Wei, Zhao,
// Zhang, Zhang, "RAIN: Your Language Models Can Align Themselves without Finetuning" (ICLR 2024,
// arXiv 2309.07124).
//
// Two ways, by RainOptions::draft_first:
// - everywhere (preset "reference"): at every root, visits until a child is clearly good or the
//   visits are used up; that child is committed; and so on from it.
// - where the judge objects (preset "default"): write on plainly and judge; what is good enough is
//   committed at once. Of a draft that isn't, the good beginning is committed and the rest is
//   searched for: the best judged continuation found takes its place.
// docs/rain.md describes both exactly.
#pragma once

#include "plumbline/procedures/procedure.h"
#include "plumbline/procedures/rain_options.h"

namespace plumbline {

/// Needs a scorer. Embeds with `input.embedder`, or with the model if that is null and
/// options.similarity is kAlways. Commits are heard as soon as they are final; a used-up budget
/// ends the answer with the best text judged so far. Same key, same answer, whatever
/// options.speculate (a token budget excepted: work done ahead counts).
Task<Result<Answer>> Rain(ProcedureInput input, RainOptions options);

}  // namespace plumbline
