#include "plumbline/cli/default_model.h"

#include <cstdlib>

#include "plumbline/core/sha256.h"

namespace plumbline {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string CacheFolder() {
  const std::string chosen = Environment("PLUMBLINE_CACHE");
  return chosen.empty() ? Environment("HOME") + "/.cache/plumbline" : chosen;
}

std::string ModelsFolder() {
  const std::string chosen = Environment("PLUMBLINE_MODEL_DIR");
  return chosen.empty() ? CacheFolder() + "/models" : chosen;
}

std::string DefaultModelPath() { return ModelsFolder() + "/" + std::string(kDefaultModelFile); }

Status VerifyDefaultModel(const std::string& path) {
  PLUMBLINE_ASSIGN(const std::string digest, Sha256OfFile(path));
  if (digest == kDefaultModelSha256) return {};
  return Fail(ErrorCode::kModelFile,
              path + " isn't the default model: its SHA-256 is " + digest + " where " +
                  std::string(kDefaultModelSha256) + " is expected",
              "plumbline models fetch gets it again");
}

}  // namespace plumbline
