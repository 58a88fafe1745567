#include "plumbline/model/llama/vocabulary.h"

#include <llama.h>

#include <algorithm>

namespace plumbline::llama {
namespace {

std::string PieceOf(const llama_vocab* vocab, llama_token token) {
  std::string piece(32, '\0');
  int length = llama_token_to_piece(vocab, token, piece.data(), static_cast<int>(piece.size()), 0,
                                    /*special=*/false);
  if (length < 0) {
    piece.resize(-length);
    length =
        llama_token_to_piece(vocab, token, piece.data(), static_cast<int>(piece.size()), 0, false);
  }
  piece.resize(length > 0 ? length : 0);
  return piece;
}

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab) : vocab_(vocab) {
  const int count = llama_vocab_n_tokens(vocab);
  pieces_.reserve(count);
  end_of_text_.reserve(count);
  for (llama_token token = 0; token < count; ++token) {
    pieces_.push_back(PieceOf(vocab, token));
    end_of_text_.push_back(llama_vocab_is_eog(vocab, token));
  }
  adds_beginning_ = llama_vocab_get_add_bos(vocab);
  beginning_ = llama_vocab_bos(vocab);
  adds_space_ = llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_SPM;
}

std::vector<TokenId> Vocabulary::TokenizeRaw(const std::string& text, bool special) const {
  std::vector<TokenId> tokens(text.size() + 2);
  int count = llama_tokenize(vocab_, text.data(), static_cast<int>(text.size()), tokens.data(),
                             static_cast<int>(tokens.size()), /*add_special=*/false, special);
  if (count < 0) {
    tokens.resize(-count);
    count = llama_tokenize(vocab_, text.data(), static_cast<int>(text.size()), tokens.data(),
                           static_cast<int>(tokens.size()), false, special);
  }
  tokens.resize(count > 0 ? count : 0);
  return tokens;
}

std::vector<TokenId> Vocabulary::Tokenize(std::string_view text, bool special) const {
  if (text.empty()) return {};
  if (!adds_space_) return TokenizeRaw(std::string(text), special);
  // A line break keeps its own tokens, so what follows it is the text without the extra space.
  const std::vector<TokenId> before = TokenizeRaw("\n", false);
  std::vector<TokenId> tokens = TokenizeRaw("\n" + std::string(text), special);
  const bool separate =
      tokens.size() >= before.size() && std::equal(before.begin(), before.end(), tokens.begin());
  if (!separate) return TokenizeRaw(std::string(text), special);
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(before.size()));
  return tokens;
}

std::vector<TokenId> Vocabulary::TokenizePrompt(const Prompt& prompt, bool starts_sequence) const {
  std::vector<TokenId> tokens;
  if (starts_sequence && adds_beginning_ && beginning_ >= 0) tokens.push_back(beginning_);
  for (const PromptPiece& piece : prompt) {
    const std::vector<TokenId> part = Tokenize(piece.text, piece.special);
    tokens.insert(tokens.end(), part.begin(), part.end());
  }
  return tokens;
}

}  // namespace plumbline::llama
