// Text files that the build put into the program (embed_files.cmake).
#pragma once

#include <span>
#include <string_view>

namespace plumbline {

struct EmbeddedFile {
  std::string_view name;  ///< Without folder and suffix.
  std::string_view text;
};

std::span<const EmbeddedFile> EmbeddedTemplates();  ///< templates/*.tmpl
std::span<const EmbeddedFile> EmbeddedCheckSets();  ///< check_set/*.jsonl

}  // namespace plumbline
