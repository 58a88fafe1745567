// The command line library's classes by name only: its header is slow to compile, and only files
// that declare flags need it.
#pragma once

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI
