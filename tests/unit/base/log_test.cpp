#include <chrono>

#include "routevpn/base/error.hpp"
#include "routevpn/base/json_text.hpp"

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("JSON strings are quoted") {
  CHECK(json_string("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
  CHECK(json_string("") == "\"\"");
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
  const std::chrono::system_clock::time_point at{std::chrono::milliseconds(1'700'000'000'042)};
  CHECK(rfc3339(at) == "2023-11-14T22:13:20.042Z");
}

TEST_CASE("system errors name what was tried") {
  CHECK(std::string(system_error("open /x", ENOENT).what()) ==
        "open /x: No such file or directory");
}
