#include "plumbline/core/result.h"

#include <array>

namespace plumbline {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int exit_code;
};

constexpr std::array kCodes = {
    CodeRow{ErrorCode::kInvalidArgument, "invalid_argument", 2},
    CodeRow{ErrorCode::kInvalidInput, "invalid_input", 3},
    CodeRow{ErrorCode::kNotFound, "not_found", 4},
    CodeRow{ErrorCode::kUnsupported, "unsupported", 5},
    CodeRow{ErrorCode::kTooLong, "too_long", 6},
    CodeRow{ErrorCode::kModelFile, "model_file", 7},
    CodeRow{ErrorCode::kIo, "io", 8},
    CodeRow{ErrorCode::kNetwork, "network", 9},
    CodeRow{ErrorCode::kRemote, "remote", 10},
    CodeRow{ErrorCode::kExhausted, "exhausted", 11},
    CodeRow{ErrorCode::kInternal, "internal", 12},
    CodeRow{ErrorCode::kCancelled, "cancelled", 130},
};

const CodeRow& RowOf(ErrorCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes[kCodes.size() - 2];
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) { return RowOf(code).name; }

int ExitCodeOf(ErrorCode code) { return RowOf(code).exit_code; }

}  // namespace plumbline
