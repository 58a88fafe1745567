// The syntax of template files: parts with a bracketed name each. What the parts mean is
// template.cc's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/core/result.h"

namespace plumbline {

/// One line of a part, with where it stood for error messages.
struct TemplateLine {
  int number = 0;  ///< From 1.
  std::string text;
};

/// "[example good]" is named "example" with the argument "good".
struct TemplatePart {
  int line = 0;  ///< Of the header.
  std::string name;
  std::string argument;
  std::vector<TemplateLine> lines;  ///< Without blank ones at the start and end, or comments.

  std::string Text() const;  ///< The lines joined by newlines.
};

/// "SOURCE:LINE: MESSAGE" as an error of kind kInvalidInput.
tl::unexpected<Error> TemplateError(std::string_view source, int line, std::string message,
                                    std::string hint = {});

/// Splits a file into parts. A line "[...]" begins one; a line that begins with '#' is a comment;
/// a backslash before either makes it text. Fails on text before the first part, an unclosed
/// bracket or invalid UTF-8.
Result<std::vector<TemplatePart>> SplitTemplate(std::string_view text, std::string_view source);

}  // namespace plumbline
