#include "plumbline/model/openai/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::openai {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ParseBaseUrlTest, TakesUrlsApart) {
  const struct {
    const char* url;
    const char* models;
  } cases[] = {
      {"http://localhost:8000", "http://localhost:8000/v1/models"},
      {"http://localhost:8000/", "http://localhost:8000/v1/models"},
      {"http://localhost:8000/v1", "http://localhost:8000/v1/models"},
      {"http://localhost:8000/v1/", "http://localhost:8000/v1/models"},
      {"http://host", "http://host:80/v1/models"},
      {"http://host/models/a/v1", "http://host:80/models/a/v1/models"},
      {"http://[::1]:9", "http://[::1]:9/v1/models"},
      {"http://127.0.0.1:65535/api", "http://127.0.0.1:65535/api/v1/models"},
  };
  for (const auto& c : cases) {
    const auto endpoint = ParseBaseUrl(c.url);
    ASSERT_TRUE(endpoint.has_value()) << c.url << ": " << endpoint.error().ToString();
    EXPECT_EQ(endpoint->Url("/v1/models"), c.models);
  }
}

TEST(ParseBaseUrlTest, SaysWhatIsWrong) {
  const struct {
    const char* url;
    const char* says;
  } cases[] = {
      {"", "no scheme"},
      {"localhost:8000", "no scheme"},
      {"ftp://host", "'ftp'"},
      {"http://", "no host"},
      {"http://:80", "no host"},
      {"http://host:", "no port"},
      {"http://host:0", "'0' is no port"},
      {"http://host:65536", "'65536'"},
      {"http://host:80x", "'80x'"},
      {"http://host?key=1", "query"},
      {"http://host/#a", "fragment"},
      {"http://ho st", "space"},
      {"http://host\r\nX: y", "control character"},
      {"http://[::1", "']'"},
      {"http://[::1]x", "between"},
  };
  for (const auto& c : cases) {
    const auto endpoint = ParseBaseUrl(c.url);
    ASSERT_FALSE(endpoint.has_value()) << c.url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(endpoint.error().message, HasSubstr(c.says)) << c.url;
  }
}

TEST(ParseBaseUrlTest, NeverShowsAPassword) {
  const auto endpoint = ParseBaseUrl("http://me:hunter2@host/");
  ASSERT_FALSE(endpoint.has_value());
  EXPECT_THAT(endpoint.error().ToString(), Not(HasSubstr("hunter2")));
}

TEST(ParseBaseUrlTest, HttpsWorksOrIsRefusedByName) {
  const auto endpoint = ParseBaseUrl("https://host");
  if (endpoint.has_value()) {
    EXPECT_EQ(endpoint->Url("/x"), "https://host:443/x");
  } else {
    EXPECT_EQ(endpoint.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(endpoint.error().hint, HasSubstr("PLUMBLINE_TLS"));
  }
}

}  // namespace
}  // namespace plumbline::openai
