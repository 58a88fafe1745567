// Where a remote model lives.
#pragma once

#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline::openai {

/// A server's address, taken apart. `Url("/v1/models")` is what messages show.
struct Endpoint {
  std::string scheme = "http";  ///< "http" or "https".
  std::string host;             ///< A name, an IPv4 address, or an IPv6 address without brackets.
  int port = 80;                ///< In 1..65535.
  std::string prefix;           ///< Path before "/v1": empty or "/some/path".

  std::string Url(std::string_view path) const;
};

/// Reads "http://host[:port][/prefix][/v1][/]". Fails with kInvalidArgument, saying which part is
/// wrong, for other schemes, user names or passwords, queries and fragments; with kUnsupported for
/// https in a build without TLS.
Result<Endpoint> ParseBaseUrl(std::string_view url);

}  // namespace plumbline::openai
