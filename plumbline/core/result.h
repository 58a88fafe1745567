// What can go wrong in use, as values: no exception crosses a Plumbline interface.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace plumbline {

/// Every way in which a call can fail. `ExitCodeOf` in this file and the server's table map each
/// one to the outside world; add a case here only together with its row there.
enum class ErrorCode {
  kInvalidArgument,  ///< The caller asked for something that makes no sense: an option, a range.
  kInvalidInput,     ///< Data handed over is malformed: JSON, UTF-8, CSV, a template file.
  kNotFound,         ///< A named file, model, column or template doesn't exist.
  kUnsupported,      ///< Well-formed, but this build, model or server can't do it.
  kTooLong,          ///< A prompt or request doesn't fit the context.
  kModelFile,        ///< A model file is missing, truncated, not GGUF, or fails its checksum.
  kIo,               ///< The disk: can't open, no space, write failed.
  kNetwork,          ///< A remote didn't answer, went away, or timed out.
  kRemote,           ///< A remote answered, but with an error or with nonsense.
  kExhausted,        ///< A resource with a bound is used up: cells, sequences, queue, budget.
  kCancelled,        ///< The caller asked to stop.
  kInternal,         ///< A third-party library failed in a way that isn't the user's doing.
};

/// A failure: what happened, where, and what the user can do about it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  ///< One sentence, names the thing: "prompts.jsonl:12: invalid JSON: ...".
  std::string hint;     ///< What to do next; empty if there is nothing useful to say.

  /// "message (hint)", or the message alone.
  std::string ToString() const { return hint.empty() ? message : message + " (" + hint + ")"; }
};

template <typename T>
using Result = tl::expected<T, Error>;

/// Success without a value.
using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

/// Passes on the error of another result.
template <typename T>
tl::unexpected<Error> FailWith(const Result<T>& failed) {
  return tl::unexpected<Error>(failed.error());
}

/// The stable lower-case name of a code ("invalid_argument"), for JSON and logs.
std::string_view ErrorCodeName(ErrorCode code);

/// The process exit status for a failure; documented in docs/cli.md. 0 is success; 1 is kept for
/// bugs; 130 is the shell's convention for Ctrl-C.
int ExitCodeOf(ErrorCode code);

}  // namespace plumbline

/// Evaluates an expression of type Result<...>; on failure returns its error from the enclosing
/// function. In a coroutine use PLUMBLINE_CO_TRY.
#define PLUMBLINE_TRY(expression)                                        \
  do {                                                                   \
    if (auto&& plumbline_try = (expression); !plumbline_try.has_value()) \
      return ::plumbline::FailWith(plumbline_try);                       \
  } while (false)

#define PLUMBLINE_CO_TRY(expression)                                     \
  do {                                                                   \
    if (auto&& plumbline_try = (expression); !plumbline_try.has_value()) \
      co_return ::plumbline::FailWith(plumbline_try);                    \
  } while (false)

#define PLUMBLINE_CONCAT_INNER(a, b) a##b
#define PLUMBLINE_CONCAT(a, b) PLUMBLINE_CONCAT_INNER(a, b)

/// PLUMBLINE_ASSIGN(auto x, F()): declares x as the value of a Result, or returns its error.
#define PLUMBLINE_ASSIGN(declaration, expression)                                           \
  PLUMBLINE_ASSIGN_IMPL(return, PLUMBLINE_CONCAT(plumbline_result_, __LINE__), declaration, \
                              expression)
#define PLUMBLINE_CO_ASSIGN(declaration, expression)                                           \
  PLUMBLINE_ASSIGN_IMPL(co_return, PLUMBLINE_CONCAT(plumbline_result_, __LINE__), declaration, \
                        expression)
#define PLUMBLINE_ASSIGN_IMPL(leave, result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.has_value()) leave ::plumbline::FailWith(result);       \
  declaration = std::move(*result)
