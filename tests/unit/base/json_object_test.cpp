#include "routevpn/base/json_object.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

// So many arrays around this, in an object.
std::string nested(int arrays, const std::string& inner = "1") {
  const auto size = static_cast<std::size_t>(arrays);
  return R"({"a":)" + std::string(size, '[') + inner + std::string(size, ']') + "}";
}

}  // namespace

TEST_CASE("an object is parsed, and nothing else is") {
  const auto object = parse_object(R"( {"a": {"b": [1, -2.5, true, null, "c"]}} )");
  REQUIRE(object);
  CHECK((*object)["a"]["b"][4] == "c");
  for (const auto* const text : {"", " ", "null", "1", "\"a\"", "[]", "[{}]", "{", "}", "{}}", "{]",
                                 "{\"a\"}", "{\"a\":1,}", "{'a':1}", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_object(text));
  }
}

TEST_CASE("an object that is nested deeper than allowed is refused") {
  CHECK(parse_object(nested(7)));
  CHECK_FALSE(parse_object(nested(8)));
  CHECK(parse_object(nested(7, "[],[]"), 9));
  CHECK_FALSE(parse_object(nested(7, R"([{"b":1}],[])"), 9));
  CHECK_FALSE(parse_object(std::string(10'000'000, '[')));
  CHECK_FALSE(parse_object(R"({"a":)" + std::string(10'000'000, '[')));
}

TEST_CASE("brackets in strings are no nesting, and strings end where the parser ends them") {
  CHECK(parse_object(R"({"a":"[[[[[[[[[[{{{{{{"})"));
  CHECK(parse_object(R"({"\"[[[[[[[[[[":"\\"})"));
  CHECK(parse_object(R"({"a":"\"[[[[[[[[[[\\\"["})"));
  CHECK_FALSE(parse_object(R"({"\\":)" + std::string(20, '[') + "1" + std::string(20, ']') + "}"));
  CHECK_FALSE(parse_object(R"({"a":"\)"));
}
