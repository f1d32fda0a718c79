// A kept link as the service manager passes it, for tests.
#pragma once

#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "routevpn/base/fields.hpp"
#include "routevpn/monitor/kept_link.hpp"

#include "catch.hpp"
#include "stored_descriptors.hpp"

namespace routevpn::test {

inline monitor::KeptState example() {
  monitor::KeptState state;
  state.options = "ifname = rv0\n";
  state.credentials = "certificates";
  state.ifname = "rv0";
  state.public_netns = 11;
  state.private_netns = 12;
  state.udp_offload = true;
  state.prefix.socket_is_v4 = true;
  state.mtu = 1400;
  state.carrier = true;
  state.flaps = 3;
  state.key = 4;
  state.reloads_told = 5;
  state.reloads_answered = 4;
  state.answered = false;
  state.routes_ignored = true;
  state.announced = channel::LinkState::up;
  state.status = "STATUS=up: connected";
  state.prefix.worker_pid = 100;
  state.prefix.worker_uid = 65534;
  state.prefix.guardian_pid = 101;
  state.leftovers = {"routevpn-rv0", {"ipv4", "ipv6"}, std::string("\0\1\2", 3)};
  state.prefix.gasps = {{{1, 2, 3}, {{IpAddress::v4({192, 0, 2, 1}), 7754}, std::nullopt}}, {}};
  return state;
}

inline Fd memory(ConstBytes content) {
  Fd file(memfd_create("state", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) ==
          static_cast<ssize_t>(content.size()));
  return file;
}

// Of a KeptState or a KeptPrefix.
template <typename State>
std::vector<std::uint8_t> written(State state) {
  std::vector<std::uint8_t> room(10000);
  FieldWriter writer(room);
  fields(writer, state);
  REQUIRE(writer.fits());
  room.resize(writer.bytes());
  return room;
}

}  // namespace routevpn::test
