// Text to tokens and back, with this model's vocabulary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/model/language_model.h"

struct llama_vocab;

namespace plumbline::llama {

/// Immutable after construction; safe from any thread.
class Vocabulary {
 public:
  /// `vocab` belongs to a loaded model, which must outlive this.
  explicit Vocabulary(const llama_vocab* vocab);

  int size() const { return static_cast<int>(pieces_.size()); }
  bool IsEndOfText(TokenId token) const { return end_of_text_[token]; }
  /// The bytes of one token; empty for control tokens.
  const std::string& Piece(TokenId token) const { return pieces_[token]; }

  /// Tokens of a text. With `special`, control tokens spelled out in it are taken as such.
  std::vector<TokenId> Tokenize(std::string_view text, bool special) const;
  /// Tokens of a whole prompt, with the beginning-of-text token if this model wants one.
  std::vector<TokenId> TokenizePrompt(const Prompt& prompt, bool starts_sequence) const;

 private:
  const llama_vocab* vocab_;
  std::vector<std::string> pieces_;
  std::vector<bool> end_of_text_;
  std::vector<TokenId> TokenizeRaw(const std::string& text, bool special) const;

  bool adds_beginning_ = false;
  /// SentencePiece vocabularies put a space before every text; inside a prompt none belongs.
  bool adds_space_ = false;
  TokenId beginning_ = -1;
};

}  // namespace plumbline::llama
