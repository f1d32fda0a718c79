#include "routevpn/host/resolver_process.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include <unistd.h>

#include "catch.hpp"
#include "namespace_lab.hpp"
#include "resolver_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

std::string output(const std::string& hex) {
  const auto answer = answer_of(start_scripted("raw:" + hex));
  std::string text = answer.error;
  for (const auto& address : answer.addresses) {
    text += address.address.to_string() + "%" + std::to_string(address.scope) + " ";
  }
  return text;
}

std::string times(std::size_t count, const std::string& part) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

bool has(const ResolverProcess::Answer& answer, const char* address) {
  return std::ranges::find(answer.addresses, *IpAddress::parse(address), &SocketAddress::address) !=
         answer.addresses.end();
}

std::ptrdiff_t own_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

// Records of 127.0.0.1 and of fe80::1 on interface 2.
const std::string v4_record = "347f000001" + std::string(24, '0') + "00000000";
const std::string v6_record = "36fe80" + std::string(24, '0') + "000102000000";

}  // namespace

TEST_CASE("a name resolves to its addresses, in a process that is not left behind") {
  const auto answer = answer_of(start_resolver("localhost"));
  CHECK(answer.error.empty());
  CHECK((has(answer, "127.0.0.1") || has(answer, "::1")));
  CHECK(no_child_is_left());
}

TEST_CASE("an address with a zone resolves to the address and its interface") {
  const auto answer = answer_of(start_resolver("fe80::1%lo"));
  CHECK(answer.error.empty());
  REQUIRE(answer.addresses.size() == 1);
  CHECK(answer.addresses[0].address == *IpAddress::parse("fe80::1"));
  CHECK(answer.addresses[0].scope == 1);
  CHECK(answer.addresses[0].port == 0);
}

TEST_CASE("a name that does not resolve has the resolver's reason") {
  CHECK(answer_of(start_resolver("not a name")).error == "Name or service not known");
}

TEST_CASE("a program that cannot be executed, and a name that is too long, are failures") {
  CHECK(answer_of(ResolverProcess::start(open_program("/dev/null"), "localhost", nobody, nobody))
            .error == failed_resolution);
  CHECK(answer_of(ResolverProcess::start(Fd(), "localhost", nobody, nobody)).error ==
        failed_resolution);
  CHECK(answer_of(start_resolver(std::string(1 << 20, 'a'))).error == failed_resolution);
}

TEST_CASE("well-formed records are accepted") {
  CHECK(output(v4_record) == "127.0.0.1%0 ");
  CHECK(output(v6_record + v4_record) == "fe80::1%2 127.0.0.1%0 ");
  CHECK(output(times(8, v4_record)) == times(8, "127.0.0.1%0 "));
  CHECK(output("45" + times(200, "61")) == std::string(200, 'a'));
}

TEST_CASE("every other output is a failure") {
  const std::string hex = GENERATE_COPY(
      as<std::string>{},
      // Not a number of whole address records, or too many.
      "", "34", v4_record.substr(2), v4_record.substr(0, 40), v4_record + "34", times(9, v4_record),
      // Of no family.
      "35" + v4_record.substr(2), "00" + v4_record.substr(2),
      // An IPv4-mapped address.
      "36" + times(10, "00") + "ffff7f00000100000000",
      // IPv4 with more bytes, and with an interface.
      "347f00000101" + times(15, "00"), "347f000001" + times(12, "00") + "01000000",
      // No text, a short record, a long record.
      "45" + times(200, "00"), "4561", "45" + times(201, "61"), "45" + times(200, "61") + v4_record,
      // Bytes that are not printable ASCII, and after the text.
      "450a" + times(199, "61"), "45611b" + times(198, "61"), "45c3a4" + times(198, "00"),
      "456100" + times(198, "61"));
  CAPTURE(hex);
  CHECK(output(hex) == failed_resolution);
}

TEST_CASE("a process that writes without end is cut off") {
  CHECK(report_of("endless") == failed_resolution);
  CHECK(no_child_is_left());
}

TEST_CASE("a killed process is a failure; take() does not wait for a silent process") {
  ResolverProcess process = start_scripted("silent");
  CHECK_FALSE(process.take());
  REQUIRE(kill(process.pid(), SIGKILL) == 0);
  CHECK(answer_of(std::move(process)).error == failed_resolution);
  CHECK(no_child_is_left());
}

TEST_CASE("the destructor ends a silent process, also when its output is closed") {
  const auto began = std::chrono::steady_clock::now();
  {
    const ResolverProcess silent = start_scripted("silent");
    ResolverProcess closed = start_scripted("closed");
    CHECK(soon([&] { return closed.take().has_value(); }));
  }
  // Not at the time limit of the child.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
  CHECK(no_child_is_left());
}

TEST_CASE("100 resolutions leave no descriptor and no process") {
  const auto before = own_descriptors();
  for (int i = 0; i < 100; ++i) REQUIRE(output(v4_record) == "127.0.0.1%0 ");
  CHECK(own_descriptors() == before);
  CHECK(no_child_is_left());
}

TEST_CASE("the first 8 addresses of a name are taken; without a name server there is a reason") {
  if (!can_make_namespaces()) return;
  with_names([] {
    const auto many = answer_of(start_resolver("many.example"));
    CHECK(many.error.empty());
    CHECK(many.addresses.size() == ResolverProcess::max_addresses);
    CHECK(answer_of(start_resolver("other.example")).error ==
          "Temporary failure in name resolution");
  });
}
