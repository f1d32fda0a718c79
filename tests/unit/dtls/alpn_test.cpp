// What both ends agree on by ALPN: control messages from routevpn/1 on, the sparse flow from
// routevpn/2 on, each with +psk on a link with a PSK.
#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Role;

namespace {

// plain_sides(), and the same with a PSK at our end. The scripted peer makes no traffic keys of it.
Sides sides_of(Role ours, bool with_psk) {
  if (!with_psk) return plain_sides(ours);
  const bool initiator = ours == Role::initiator;
  const std::string own = initiator ? "V3-1" : "V3-2";
  const std::string peer = initiator ? "V3-2" : "V3-1";
  TestCa ca;
  const Issued issued = ca.issue({.name = peer});
  return {make_identity(ca.issue({.name = own}), ca.certificate(), peer, "", "", {psk_line(1)}),
          std::make_shared<const Credentials>(issued.certificate, issued.key),
          make_identity(issued, ca.certificate(), own)};
}

std::function<void(Hello&)> offers(const std::vector<std::string>& names) {
  return [names](Hello& hello) {
    Writer list;
    for (const auto& name : names) list.vector(1, Octets(name.begin(), name.end()));
    hello.extensions[alpn_extension] = Writer().vector(2, list.out).out;
  };
}

// Each occurrence, in all records of the peer.
Deviation renamed_on_the_path(const std::string& from, const std::string& to) {
  return {.records =
              [from, to](Flight, std::vector<Record>& records) {
                for (auto& record : records) {
                  auto& bytes = record.payload;
                  const auto found =
                      std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
                  if (found != bytes.end()) std::copy(to.begin(), to.end(), found);
                }
              },
          .alpn = from};
}

struct Agreed {
  bool control_messages;
  bool sparse_flow;
};

void check_agreed(Role ours, bool with_psk, const Deviation& deviation, Agreed expected) {
  CAPTURE(ours == Role::initiator, with_psk, deviation.alpn);
  const Sides sides = sides_of(ours, with_psk);
  Duel duel(ours, sides, deviation);
  duel.exchange();
  INFO((duel.ours() != nullptr ? duel.ours()->failure().text : "no handshake"));
  REQUIRE(duel.completed());
  CHECK(duel.ours()->established().control_messages == expected.control_messages);
  CHECK(duel.ours()->established().sparse_flow == expected.sparse_flow);
}

}  // namespace

TEST_CASE("two ends of this version agree on the sparse flow") {
  const bool with_psk = GENERATE(false, true);
  CAPTURE(with_psk);
  const std::vector<std::string> psks(with_psk ? 1 : 0, psk_line(1));
  Pair pair(make_identities(KeyKind::p256, "", psks));
  REQUIRE(pair.run());
  for (const auto* const end : {pair.initiator.get(), pair.acceptor.get()}) {
    CHECK(end->established().control_messages);
    CHECK(end->established().sparse_flow);
  }
}

TEST_CASE("a peer of an earlier version gets control messages and no sparse flow, in both roles") {
  const auto role = GENERATE(Role::initiator, Role::acceptor);
  check_agreed(role, false, {.alpn = "routevpn/1"}, {true, false});
  check_agreed(role, false, {.alpn = "routevpn/2"}, {true, true});
  check_agreed(role, true, {.alpn = "routevpn/1+psk"}, {true, false});
  check_agreed(role, true, {.alpn = "routevpn/2+psk"}, {true, true});
}

TEST_CASE("the acceptor takes the newest version that the peer offers, in any order") {
  const auto check = [](bool with_psk, const std::vector<std::string>& names, Agreed expected) {
    CAPTURE(names);
    check_agreed(Role::acceptor, with_psk, hello_changed(offers(names)), expected);
  };
  check(false, {"routevpn/1", "routevpn/2"}, {true, true});
  check(false, {"routevpn/3", "routevpn/2", "routevpn/1"}, {true, true});
  check(false, {"h2", "routevpn/1"}, {true, false});
  check(false, {"routevpn/2+psk", "routevpn/1"}, {true, false});
  check(false, {"routevpn/2+psk", "routevpn/1+psk"}, {false, false});
  check(false, {"routevpn/3"}, {false, false});
  check(false, {"routevpn/22"}, {false, false});
  check(true, {"routevpn/1+psk", "routevpn/2+psk"}, {true, true});
  check(true, {"routevpn/2", "routevpn/1+psk"}, {true, false});
}

TEST_CASE("an end with a PSK refuses a name without +psk, in both roles") {
  const std::string no_psk =
      "the peer does not agree on ALPN routevpn/2+psk or routevpn/1+psk, which a link with a PSK "
      "needs";
  const auto acceptor = sides_of(Role::acceptor, true);
  for (const char* const name : {"routevpn/2", "routevpn/1", "routevpn/3+psk"}) {
    check_row(Role::acceptor, acceptor, {name, Ending::refused, no_psk, {.alpn = name}});
  }
  check_row(Role::acceptor, acceptor,
            {"no ALPN", Ending::refused, no_psk,
             hello_changed([](Hello& hello) { hello.extensions.erase(alpn_extension); })});
  const auto initiator = sides_of(Role::initiator, true);
  for (const char* const name : {"routevpn/2", "routevpn/1", "routevpn/3+psk"}) {
    check_row(Role::initiator, initiator, {name, Ending::refused, "bad extension", {.alpn = name}});
  }
  check_row(Role::initiator, initiator,
            {"no ALPN", Ending::refused, no_psk,
             hello_changed([](Hello& hello) { hello.extensions.erase(alpn_extension); })});
}

// The name is in the transcript that both ends authenticate.
TEST_CASE("an attacker on the path cannot take the sparse flow away by the ALPN") {
  const auto changed = renamed_on_the_path("routevpn/2", "routevpn/1");
  check_rows(Role::acceptor, {{"in both ClientHellos", Ending::refused, "signature", changed}});
  check_rows(Role::initiator, {{"in the ServerHello", Ending::times_out, "", changed}});
}
