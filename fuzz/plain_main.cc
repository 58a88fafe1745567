// Runs a fuzzer without libFuzzer: its seeds, and as many deterministic changes of them as the
// first argument says. With file names after it, those files instead: to replay what was found.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/fuzz_target.h"
#include "plumbline/core/random.h"

namespace plumbline {
namespace {

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Up to four edits: a byte replaced, a stretch deleted or doubled, the end cut off.
std::string Changed(std::string text, RandomStream& random) {
  const uint64_t edits = 1 + random.NextBelow(4);
  for (uint64_t i = 0; i < edits && !text.empty(); ++i) {
    const size_t at = random.NextBelow(text.size());
    const size_t length = 1 + random.NextBelow(8);
    switch (random.NextBelow(4)) {
      case 0:
        text[at] = static_cast<char>(random.NextBelow(256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

int Replay(int count, char** files) {
  for (int i = 0; i < count; ++i) {
    std::ifstream file(files[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", files[i]);
      return EXIT_FAILURE;
    }
    RunOne(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return EXIT_SUCCESS;
}

int Fuzz(uint64_t changes) {
  const std::vector<std::string> seeds = FuzzSeeds();
  for (const std::string& seed : seeds) RunOne(seed);
  for (uint64_t i = 0; i < changes; ++i) {
    RandomStream random{RandomKey(i)};
    RunOne(Changed(seeds[i % seeds.size()], random));
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace plumbline

int main(int argc, char** argv) {
  if (argc > 2) return plumbline::Replay(argc - 2, argv + 2);
  if (argc == 2) return plumbline::Fuzz(std::strtoull(argv[1], nullptr, 10));
  std::fprintf(stderr, "Usage: %s CHANGES [FILE ...]\n", argv[0]);
  return 2;
}
