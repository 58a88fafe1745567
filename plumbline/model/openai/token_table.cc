#include "plumbline/model/openai/token_table.h"

namespace plumbline::openai {

TokenId TokenTable::Intern(const RemoteToken& token) {
  if (token.id.has_value()) {
    texts_[*token.id] = token.text;
    return *token.id;
  }
  const auto [entry, fresh] = ids_.try_emplace(token.text, static_cast<TokenId>(ids_.size()));
  if (fresh) texts_[entry->second] = token.text;
  return entry->second;
}

const std::string* TokenTable::TextOf(TokenId token) const {
  const auto found = texts_.find(token);
  return found == texts_.end() ? nullptr : &found->second;
}

}  // namespace plumbline::openai
