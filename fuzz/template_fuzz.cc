// Template files: read, or refused with a message that names the source.

#include "fuzz/fuzz_target.h"
#include "plumbline/core/check.h"
#include "plumbline/scoring/template.h"

namespace plumbline {

std::vector<std::string> FuzzSeeds() {
  return {
      "# A comment.\n\n[name]\npolite\n\n[instruction]\nEach reply is {first} or {second}.\n\n"
      "[good]\npolite\n\n[bad]\nrude\n\n[answer-prefix]\nRating:\n\n"
      "[example good]\nUser: Hi\nAssistant: Good morning.\n\n"
      "[example bad]\nUser: Hi\nAssistant: What do you want?\n",
      "[name]\nshort\n[good]\nyes\n[bad]\nno\n",
  };
}

}  // namespace plumbline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto templates = plumbline::ParseTemplates(plumbline::AsText(data, size), "input.tmpl");
  if (!templates) {
    PLUMBLINE_CHECK(templates.error().message.find("input.tmpl") != std::string::npos);
  } else {
    PLUMBLINE_CHECK(!templates->empty());
  }
  return 0;
}
