// Where templates come from: the program itself, or a file.
#include <filesystem>

#include "plumbline/core/posix_file.h"
#include "plumbline/core/text.h"
#include "plumbline/scoring/embedded_files.h"
#include "plumbline/scoring/template.h"

namespace plumbline {
namespace {

tl::unexpected<Error> NoSuchTemplate(const std::string& name) {
  const std::vector<std::string>& names = BuiltInTemplateNames();
  const std::string nearest = NearestName(name, names);
  std::string hint = "give a file, or one of:";
  for (const std::string& known : names) hint += " " + known;
  return Fail(
      ErrorCode::kNotFound,
      "no template '" + name + "'" + (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"),
      std::move(hint));
}

bool Exists(const std::string& name_or_path) {
  for (const EmbeddedFile& file : EmbeddedTemplates()) {
    if (file.name == name_or_path) return true;
  }
  std::error_code ignored;
  return std::filesystem::is_regular_file(name_or_path, ignored);
}

}  // namespace

const std::vector<std::string>& BuiltInTemplateNames() {
  static const std::vector<std::string>* const kNames = [] {
    auto* names = new std::vector<std::string>;
    for (const EmbeddedFile& file : EmbeddedTemplates()) names->emplace_back(file.name);
    return names;
  }();
  return *kNames;
}

Result<std::vector<EvaluationTemplate>> LoadTemplates(const std::string& name_or_path) {
  for (const EmbeddedFile& file : EmbeddedTemplates()) {
    if (file.name == name_or_path) {
      return ParseTemplates(file.text, std::string(file.name) + ".tmpl");
    }
  }
  if (!Exists(name_or_path)) return NoSuchTemplate(name_or_path);
  PLUMBLINE_ASSIGN(const std::string text, ReadWholeFile(name_or_path));
  return ParseTemplates(text, name_or_path);
}

Result<EvaluationTemplate> LoadTemplate(const std::string& spec) {
  const size_t colon = spec.rfind(':');
  const bool names_variant = colon != std::string::npos && !Exists(spec);
  const std::string name = names_variant ? spec.substr(0, colon) : spec;
  PLUMBLINE_ASSIGN(std::vector<EvaluationTemplate> templates, LoadTemplates(name));
  if (!names_variant) return std::move(templates.front());
  const std::string variant = spec.substr(colon + 1);
  std::vector<std::string> variants;
  for (EvaluationTemplate& candidate : templates) {
    if (!candidate.variant.empty() && candidate.variant == variant) return std::move(candidate);
    if (!candidate.variant.empty()) variants.push_back(candidate.variant);
  }
  const std::string nearest = NearestName(variant, variants);
  std::string hint = variants.empty() ? "it has no variants" : "its variants:";
  for (const std::string& known : variants) hint += " " + known;
  return Fail(ErrorCode::kNotFound,
              "template '" + name + "' has no variant '" + variant + "'" +
                  (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"),
              std::move(hint));
}

}  // namespace plumbline
