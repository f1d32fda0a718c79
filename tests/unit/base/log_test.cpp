#include "routevpn/base/log.hpp"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

// What one call wrote to standard error.
std::string logged(LogFormat format, std::string_view message, LogFields fields) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const Fd before(dup(STDERR_FILENO));
  REQUIRE(dup2(write_end.get(), STDERR_FILENO) >= 0);
  write_end.reset();
  Log::configure(LogLevel::info, format, "rv1-2");
  Log::write(LogLevel::warning, message, fields);
  std::fflush(stderr);
  REQUIRE(dup2(before.get(), STDERR_FILENO) >= 0);
  Log::configure(LogLevel::info, LogFormat::text, "");

  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = read(read_end.get(), part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

constexpr auto hostile = "a\"b\\\n\x1b[2J \xc2\x9b \xff\xc3 caf\xc3\xa9";

}  // namespace

TEST_CASE("a text line is one line without control characters") {
  CHECK(logged(LogFormat::text, "carrier on", {{"peer", "V3-1"}}) ==
        "rv1-2: warning: carrier on peer=V3-1\n");
  CHECK(logged(LogFormat::text, hostile, {{"peer", "V\n3"}}) ==
        "rv1-2: warning: a\"b\\\\x0a\\x1b[2J \\xc2\\x9b \\xff\\xc3 caf\xc3\xa9 peer=\"V\\x0a3\"\n");
}

TEST_CASE("a value in a text line cannot look like another field") {
  struct Case {
    const char* value;
    const char* shown;
  };
  const auto test = GENERATE(values<Case>({
      {"192.0.2.1:7754", "192.0.2.1:7754"},
      {"", R"("")"},
      {"V3-1 reason=up", R"("V3-1 reason=up")"},
      {"a=b", R"("a=b")"},
      {"a\"b", R"("a\"b")"},
      {"a\\", R"("a\\")"},
      {"\" peer=b", R"("\" peer=b")"},
      {"caf\xc3\xa9", R"("caf\xc3\xa9")"},
      {"a\nb\t\x7f", R"("a\x0ab\x09\x7f")"},
  }));
  CHECK(logged(LogFormat::text, "up", {{"peer", test.value}, {"mtu", "1400"}}) ==
        std::string("rv1-2: warning: up peer=") + test.shown + " mtu=1400\n");
}

TEST_CASE("a JSON line is valid JSON in ASCII, whatever the message holds") {
  const std::string line = logged(LogFormat::json, hostile, {{"peer", hostile}, {"level", "x"}});
  CHECK(line.find_first_of("\n\x1b\x7f") == line.size() - 1);
  for (const char c : line) CHECK(static_cast<unsigned char>(c) < 0x7f);
  const auto object = nlohmann::ordered_json::parse(line);
  const auto replaced = "a\"b\\\n\x1b[2J \xc2\x9b \xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9";
  CHECK(object.at("message") == replaced);
  CHECK(object.at("peer") == replaced);
  CHECK(object.at("level") == "warning");  // a field cannot replace a member of the line's own
  CHECK(object.at("link") == "rv1-2");
  CHECK(object.begin().key() == "time");
}

TEST_CASE("system errors name what was tried") {
  CHECK(std::string(system_error("open /x", ENOENT).what()) ==
        "open /x: No such file or directory");
}
