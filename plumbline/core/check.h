// CHECK: for conditions that only a bug in Plumbline can break. Never for bad input.
#pragma once

namespace plumbline::internal {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}

/// Aborts with the condition and its place unless it holds, in every build type.
#define PLUMBLINE_CHECK(condition) \
  ((condition) ? void(0) : ::plumbline::internal::CheckFailed(#condition, __FILE__, __LINE__))
