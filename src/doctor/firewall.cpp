#include <cstdint>
#include <string>

#include "routevpn/doctor/doctor.hpp"

#include "firewall_rules.hpp"
#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

// Whether the chain sees what comes to this address.
bool concerns(const InputChain& chain, const options::ListenAddress& listen) {
  if (chain.family == "inet" || !listen.address) return true;
  return (chain.family == "ip") == listen.address->is_v4();
}

void check_port(const Link& link, std::uint16_t port, const nlohmann::json& ruleset,
                Findings& findings) {
  for (const auto& chain : chains_that_drop(ruleset, port)) {
    if (!concerns(chain, *link.options.listen)) continue;
    const std::string name = chain.family + " " + chain.table + " " + chain.name;
    findings.push_back({"firewall", link.name,
                        "the chain '" + name + "' in " + space_text(link.options.public_netns) +
                            " drops UDP to port " + std::to_string(port),
                        "no handshake of the peer reaches the link",
                        exec_in(link.options.public_netns) + "nft insert rule " + name +
                            " udp dport " + std::to_string(port) + " accept"});
  }
}

}  // namespace

// The kernel knows the association of an initiator's datagrams, so the usual rule for established
// connections accepts what its peer answers.
void check_firewall(const Gateway& gateway, const Machine& machine, Findings& findings) {
  for (const auto& link : gateway.links) {
    const auto& options = link.options;
    if (!options.peers.empty() || !options.listen) continue;
    const auto rules = machine.run(options.public_netns, {"nft", "-j", "list", "ruleset"});
    if (!rules || rules->status != 0) continue;  // without nft nothing is known
    const auto ruleset = nlohmann::json::parse(rules->output, nullptr, false);
    for (unsigned lane = 0; lane < options.lanes; ++lane) {
      check_port(link, static_cast<std::uint16_t>(options.listen->port + lane), ruleset, findings);
    }
  }
}

}  // namespace routevpn::doctor
