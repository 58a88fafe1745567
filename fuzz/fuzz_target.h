#pragma once

// What a fuzzer is: a function for any bytes, that aborts when something is wrong (libFuzzer's
// interface), and a few inputs to begin with. Built by clang with
// PLUMBLINE_SANITIZE=...,fuzzer-no-link it is a libFuzzer program; in every other build
// plain_main.cc drives it, as a test, so that it doesn't rot.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Inputs to begin with: well-formed, so that changing them reaches far.
std::vector<std::string> FuzzSeeds();

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace plumbline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
