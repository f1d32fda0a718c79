#include "routevpn/exporter/command_line.hpp"

#include "catch.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using options::Lines;

namespace {

exporter::CommandLine parse(const std::string& words) {
  return exporter::parse_command_line(options::words_of(words));
}

}  // namespace

TEST_CASE("the exporter listens on the loopback address, unless it is told otherwise") {
  CHECK(parse("").options.listen.to_string() == "127.0.0.1:9586");
  CHECK(parse("--listen 9000").options.listen.to_string() == "127.0.0.1:9000");
  CHECK(parse("--listen [2001:db8::1]:80").options.listen.to_string() == "[2001:db8::1]:80");
  CHECK(parse("--listen gw:80").faults.size() == 1);
}

TEST_CASE("the sources of the exporter are options") {
  const auto line = parse("--run-dir /r --bird /a.ctl --bird /b.ctl --host gw.example.net");
  CHECK(line.faults.empty());
  CHECK(line.options.sources.run_dir == "/r");
  CHECK(line.options.sources.birds == Lines{"/a.ctl", "/b.ctl"});
  CHECK(line.options.hosts == Lines{"gw.example.net"});
  CHECK(!line.options.once);
}

TEST_CASE("links can be named with --once alone") {
  const auto line = parse("--once -- a b");
  CHECK(line.options.once);
  CHECK(line.options.sources.links == Lines{"a", "b"});
  CHECK(parse("a").faults.size() == 1);
  CHECK(parse("--once a/b").faults == Lines{"link 'a/b': must be a name without '/'"});
}

TEST_CASE("every fault of the exporter's command line is one line") {
  CHECK(parse("--listen x --host a/b --nonsense").faults.size() == 3);
  CHECK_THAT(parse("--help").print, ContainsSubstring("--topology"));
  CHECK(parse("--version").print.starts_with("routevpn-exporter "));
}
