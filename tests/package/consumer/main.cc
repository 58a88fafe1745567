// A program of someone else that uses the installed package. Links the embedded model, which needs
// everything that the package has to bring along.

#include <iostream>

#include "plumbline/model/llama/llama_model.h"

int main() {
  plumbline::LlamaOptions options;
  options.path = "no-such-model.gguf";
  const auto model = plumbline::LoadLlamaModel(options);
  if (model) return 1;
  std::cout << model.error().message << "\n";
  return model.error().message.find("no-such-model.gguf") == std::string::npos ? 1 : 0;
}
