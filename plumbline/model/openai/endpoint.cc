#include "plumbline/model/openai/endpoint.h"

#include <cpp-httplib/httplib.h>

#include <charconv>

namespace plumbline::openai {
namespace {

constexpr bool kHasTls =
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    true;
#else
    false;
#endif

Status BadUrl(std::string_view url, const std::string& why) {
  // A password in the URL must not reach a log.
  const size_t at = url.rfind('@');
  const std::string shown =
      at == url.npos ? std::string(url) : "...@" + std::string(url.substr(at + 1));
  return Fail(ErrorCode::kInvalidArgument, "base URL '" + shown + "': " + why,
              "write it as http://host:port or http://host:port/v1");
}

/// Takes the scheme off `rest`.
Result<std::string> TakeScheme(std::string_view url, std::string_view& rest) {
  const size_t mark = url.find("://");
  if (mark == url.npos) PLUMBLINE_TRY(BadUrl(url, "there is no scheme"));
  std::string scheme(url.substr(0, mark));
  if (scheme != "http" && scheme != "https") {
    PLUMBLINE_TRY(BadUrl(url, "the scheme '" + scheme + "' is neither http nor https"));
  }
  if (scheme == "https" && !kHasTls) {
    return Fail(ErrorCode::kUnsupported,
                "base URL '" + std::string(url) + "': this build of Plumbline can't speak https",
                "build it with -DPLUMBLINE_TLS=ON and OpenSSL's development files installed, or "
                "reach the server by http through a tunnel");
  }
  rest = url.substr(mark + 3);
  return scheme;
}

Result<int> ParsePort(std::string_view url, std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    PLUMBLINE_TRY(BadUrl(url, "'" + std::string(text) + "' is no port (1 to 65535)"));
  }
  return port;
}

/// Splits "host:port" or "[ipv6]:port"; the port text is empty if there is none.
Status SplitAuthority(std::string_view url, std::string_view authority, Endpoint& endpoint,
                      std::string_view& port) {
  size_t host_end = authority.find(':');
  std::string_view host = authority.substr(0, host_end);
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == authority.npos) return BadUrl(url, "an IPv6 address lacks its ']'");
    host = authority.substr(1, close - 1);
    host_end = close + 1 < authority.size() ? close + 1 : authority.npos;
    if (host_end != authority.npos && authority[host_end] != ':') {
      return BadUrl(url, "there is something between ']' and the port");
    }
  }
  if (host.empty()) return BadUrl(url, "there is no host");
  endpoint.host = host;
  port = host_end == authority.npos ? std::string_view() : authority.substr(host_end + 1);
  if (host_end != authority.npos && port.empty()) return BadUrl(url, "there is no port after ':'");
  return {};
}

std::string PrefixOf(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with("/v1")) path.remove_suffix(3);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

}  // namespace

std::string Endpoint::Url(std::string_view path) const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return scheme + "://" + (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + prefix +
         std::string(path);
}

Result<Endpoint> ParseBaseUrl(std::string_view url) {
  Endpoint endpoint;
  std::string_view rest;
  PLUMBLINE_ASSIGN(endpoint.scheme, TakeScheme(url, rest));
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
      PLUMBLINE_TRY(BadUrl(url, "it holds a space or a control character"));
    }
  }
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == rest.npos ? std::string_view() : rest.substr(slash);
  if (authority.find('@') != authority.npos) {
    PLUMBLINE_TRY(BadUrl(url, "it holds a user name or password; give the key in the environment"));
  }
  if (rest.find_first_of("?#") != rest.npos) {
    PLUMBLINE_TRY(BadUrl(url, "it holds a query or fragment"));
  }
  std::string_view port;
  PLUMBLINE_TRY(SplitAuthority(url, authority, endpoint, port));
  endpoint.port = endpoint.scheme == "https" ? 443 : 80;
  if (!port.empty()) {
    PLUMBLINE_ASSIGN(endpoint.port, ParsePort(url, port));
  }
  endpoint.prefix = PrefixOf(path);
  return endpoint;
}

}  // namespace plumbline::openai
