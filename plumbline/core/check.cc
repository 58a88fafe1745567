#include "plumbline/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace plumbline::internal {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "plumbline: bug: CHECK(%s) failed at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace plumbline::internal
