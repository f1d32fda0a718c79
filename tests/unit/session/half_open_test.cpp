#include "routevpn/session/half_open.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {

const Time table_begin{1h};

HalfOpen half_open(const std::string& address, Duration after = {}) {
  return {{*IpAddress::parse(address), 7754}, table_begin + after};
}
std::string evicted(const HalfOpen& newcomer, const std::vector<HalfOpen>& table) {
  const Place place = place_for(newcomer, table);
  if (!place.granted) return "refused";
  return place.evicted ? place.evicted->address.to_string() : "none";
}
// `count` handshakes of different /16, the first is the oldest.
std::vector<HalfOpen> strangers(int count) {
  std::vector<HalfOpen> table;
  for (int i = 0; i < count; ++i) {
    table.push_back(half_open("10." + std::to_string(i) + ".0.1", i * 1ms));
  }
  return table;
}

}  // namespace

TEST_CASE("a full table evicts the oldest handshake, but none whose peer has proved its key") {
  auto table = strangers(15);
  const auto newcomer = half_open("192.0.2.1", 1s);
  CHECK(evicted(newcomer, table) == "none");
  table = strangers(16);
  CHECK(evicted(newcomer, table) == "10.0.0.1");
  table[0].proved_key = true;
  CHECK(evicted(newcomer, table) == "10.1.0.1");
  for (auto& one : table) one.proved_key = true;
  CHECK(evicted(newcomer, table) == "refused");
}

TEST_CASE("the places of the peer's last address are its own") {
  auto table = strangers(16);
  auto peer = half_open("192.0.2.1", 1s);
  peer.of_peer = true;
  CHECK(evicted(peer, table) == "none");
  for (auto& one : table) one.proved_key = true;
  CHECK(evicted(peer, table) == "none");
  table = strangers(15);
  for (int i = 0; i < 4; ++i) {
    table.push_back(peer);
    table.back().begun += i * 1ms;
    table.back().source.port = static_cast<std::uint16_t>(1000 + i);
  }
  CHECK(place_for(peer, table).evicted->port == 1000);
  table[15].proved_key = true;
  CHECK(place_for(peer, table).evicted->port == 1001);
  CHECK(evicted(half_open("192.0.2.2", 2s), table) == "none");  // strangers have a place left
}

TEST_CASE("a /24 or /64 holds a quarter of the places, a /16 or /48 half of them") {
  struct Case {
    const char* narrow;  // with the number of the host
    const char* wide;    // with the number of the network
  };
  const auto [narrow, wide] =
      GENERATE(Case{"192.0.2.", "192.0."}, Case{"2001:db8:1::", "2001:db8:1:"});
  const std::string text(wide);
  const bool v4 = text.find(':') == std::string::npos;
  std::vector<HalfOpen> table = {half_open("10.1.0.1")};
  for (int i = 0; i < 4; ++i) {
    CHECK(evicted(half_open(narrow + std::to_string(9)), table) == "none");
    table.push_back(half_open(narrow + std::to_string(i + 1), 1s + i * 1ms));
  }
  CHECK(evicted(half_open(narrow + std::to_string(9), 2s), table) == narrow + std::string("1"));
  table = {half_open("10.1.0.1")};
  const auto of_wide = [&](int network) {
    return text + std::to_string(network + 1) + (v4 ? ".1" : "::1");
  };
  for (int i = 0; i < 8; ++i) {
    CHECK(evicted(half_open(of_wide(i), 2s), table) == "none");
    table.push_back(half_open(of_wide(i), 1s + i * 1ms));
  }
  CHECK(evicted(half_open(of_wide(8), 2s), table) == of_wide(0));
  CHECK(evicted(half_open("198.51.100.1", 2s), table) == "none");
}

TEST_CASE("a full table has a half for first contacts and a half for others") {
  auto table = strangers(16);
  auto first = half_open("192.0.2.1", 1s);
  first.first_contact = true;
  const auto other = half_open("192.0.2.1", 1s);
  CHECK(evicted(first, table) == "10.0.0.1");
  const auto make_first_contacts = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) table[i].first_contact = true;
  };
  make_first_contacts(4, 12);
  CHECK(evicted(first, table) == "10.4.0.1");
  CHECK(evicted(other, table) == "10.0.0.1");
  make_first_contacts(12, 16);  // when the table was not full
  CHECK(evicted(first, table) == "10.4.0.1");
  CHECK(evicted(other, table) == "10.4.0.1");
  table = strangers(16);
  make_first_contacts(0, 8);
  for (std::size_t i = 8; i < 16; ++i) table[i].proved_key = true;
  CHECK(evicted(other, table) == "refused");
  CHECK(evicted(first, table) == "10.0.0.1");
}
