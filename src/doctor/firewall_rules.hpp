// What a chain of nftables does with the first datagram to a UDP port. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace routevpn::doctor {

struct InputChain {
  std::string family;  // ip, ip6, inet
  std::string table;
  std::string name;
};

// The base chains at the hook `input` that certainly drop the datagram. `ruleset` is what `nft -j
// list ruleset` prints. A rule that is not understood may accept the datagram, so then its chain is
// not listed.
std::vector<InputChain> chains_that_drop(const nlohmann::json& ruleset, std::uint16_t port);

}  // namespace routevpn::doctor
