// The links themselves: their files, their units, and what keeps them from being up.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

constexpr auto booted_by_systemd = "/run/systemd/system";  // sd_booted(3)

std::string unit_of(const Link& link) {
  return "routevpn@" + link.name + ".service";
}

// One word: active, enabled, ...; empty without systemd.
std::string unit_state(const Machine& machine, const char* verb, const Link& link) {
  if (!machine.has(booted_by_systemd)) return {};
  const auto result = machine.run("", {"systemctl", verb, unit_of(link)});
  if (!result) return {};
  return result->output.substr(0, result->output.find('\n'));
}

void check_unit(const Link& link, const Machine& machine, Findings& findings) {
  const auto enabled = unit_state(machine, "is-enabled", link);
  if (link.status.is_null()) {
    const auto active = unit_state(machine, "is-active", link);
    findings.push_back({"running", link.name,
                        active.empty() ? "the link is not running"
                                       : "the link is not running: its unit is " + active,
                        "its routes are not used",
                        active.empty() ? "routevpn --config " + link.file
                                       : "systemctl start " + unit_of(link) +
                                             "; then: journalctl -u " + unit_of(link)});
  }
  if (enabled != "disabled") return;
  findings.push_back({"running", link.name, "the unit " + unit_of(link) + " is not enabled",
                      "the link does not start with the machine",
                      "systemctl enable " + unit_of(link)});
}

void check_age(const Link& link, const Machine& machine, Findings& findings) {
  const auto changed = machine.changed(link.file);
  const auto read = pki::parse_time(text(link.status, "settings_read"));
  if (!changed || !read || *changed <= *read) return;
  findings.push_back({"running", link.name,
                      link.file + " was changed at " + pki::to_text(*changed) +
                          ", after the link took its settings at " + pki::to_text(*read),
                      "the running link has the old settings",
                      "routevpn reload " + link.name + "; if it says that a restart is needed: " +
                          "systemctl restart " + unit_of(link)});
}

struct Meaning {
  std::string_view word;  // the reason of the link's state, or a drop reason
  std::string_view means;
  std::string_view mend;
};

constexpr std::string_view look_at_peer = "on the peer: routevpn show, and routevpn doctor";

// Of an initiator that is not up. A reason that is not listed explains itself.
constexpr std::array<Meaning, 17> reasons = {{
    {"no_answer",
     "no answer came: the peer does not run, a firewall drops the datagrams, the address is wrong, "
     "or the peer has another PSK or an --allow that does not cover this gateway",
     look_at_peer},
    {"port_unreachable", "the peer's host is there, and no link of it listens on that port",
     "on the peer: systemctl start routevpn.target"},
    {"prohibited", "a router or firewall on the path answers that it does not forward",
     "traceroute --udp to the peer's address, and ask the owner of the firewall"},
    {"host_unreachable", "the peer's host, or the last router before it, is not there",
     "ping the peer's address"},
    {"net_unreachable", "a router on the path has no route to the peer",
     "traceroute to the peer's address"},
    {"no_route", "this machine has no route to the peer's address, or its cable is down",
     "ip route get to the peer's address; ip link"},
    {"local_firewall", "this machine's own rules drop the link's datagrams", "nft list ruleset"},
    {"handshake_timed_out", "the handshake began, and datagrams of it are lost", look_at_peer},
    {"refused_by_peer", "the peer does not accept this gateway's handshake",
     "on the peer: routevpn show, and journalctl -u 'routevpn@*'"},
    {"handshaking", "no answer has come yet", look_at_peer},
    {"resolve_failed", "the peer's name has no address now", "resolvectl status"},
    {"certificate_refused", "this gateway refuses the peer's certificate",
     "compare --ca and --peer-name with the peer's certificate: routevpn pki list"},
    {"handshake_failed", "the handshake ended with an error", look_at_peer},
    {"peer_revoked", "this gateway's CRL lists the peer's certificate",
     "on the CA's host: routevpn pki sign --force --name PEER"},
    {"peer_expired", "the peer's certificate has expired",
     "on the CA's host: routevpn pki sign --force --name PEER"},
    {"silence", "the peer answered before, and does not any longer", look_at_peer},
    {"peer_closed", "the peer closed the association, and does not answer yet", look_at_peer},
}};

// Of an acceptor that no peer has reached, in the order of importance.
constexpr std::array<Meaning, 7> refusals = {{
    {"handshake_not_allowed", "--allow does not cover the sources that tried",
     "compare the lines 'allow =' with the peer's address"},
    {"psk_missing", "a peer without a PSK tried", "copy the PSK file to the peer"},
    {"psk_unexpected", "a peer with a PSK tried, and this link has none",
     "copy the PSK file to this gateway"},
    {"psk_mismatch", "a peer with another PSK tried", "compare the PSK files of both ends"},
    {"psk_stale", "a peer tried whose clock differs by more than 5 minutes",
     "on both ends: timedatectl"},
    {"certificate_refused", "this gateway refuses the peer's certificate",
     "compare --ca and --peer-name with the peer's certificate: routevpn pki list"},
    {"handshake_failed", "a handshake ended with an error", "journalctl -u 'routevpn@*'"},
}};

template <std::size_t n>
const Meaning* find(const std::array<Meaning, n>& meanings, std::string_view word) {
  const auto* const found = std::ranges::find(meanings, word, &Meaning::word);
  return found == meanings.end() ? nullptr : found;
}

void report_initiator(const Link& link, Findings& findings) {
  const auto word = text(link.status, "reason");
  const auto* const meaning = find(reasons, word);
  findings.push_back({"peer", link.name, "the link is not up: " + text(link.status, "reason_text"),
                      meaning == nullptr ? "no packet passes" : std::string(meaning->means),
                      std::string(meaning == nullptr ? look_at_peer : meaning->mend)});
}

void report_acceptor(const Link& link, Findings& findings) {
  const auto& drops = member(link.status, "drops");
  for (const auto& refusal : refusals) {
    const auto times = count(drops, std::string(refusal.word).c_str());
    if (times == 0) continue;
    findings.push_back({"peer", link.name,
                        "the link is not up: it refused " + std::to_string(times) +
                            " handshakes (" + std::string(refusal.word) + ")",
                        std::string(refusal.means), std::string(refusal.mend)});
    return;
  }
  findings.push_back({"peer", link.name, "the link is not up: " + text(link.status, "reason_text"),
                      "no handshake arrived: the peer does not run, has another address for this "
                      "gateway, or a firewall drops its datagrams",
                      "tcpdump -ni any udp port " +
                          std::to_string(link.options.listen ? link.options.listen->port : 0) +
                          "; " + std::string(look_at_peer)});
}

}  // namespace

void check_configuration(const Gateway& gateway, const Machine&, Findings& findings) {
  for (const auto& link : gateway.links) {
    for (const auto& fault : link.faults) {
      findings.push_back({"configuration", link.name, fault, "the link cannot start with this file",
                          "correct the line, then: routevpn check --config " + link.file});
    }
  }
}

void check_running(const Gateway& gateway, const Machine& machine, Findings& findings) {
  for (const auto& link : gateway.links) {
    check_unit(link, machine, findings);
    if (!link.status.is_null()) check_age(link, machine, findings);
  }
}

void check_peer(const Gateway& gateway, const Machine&, Findings& findings) {
  for (const auto& link : gateway.links) {
    if (link.status.is_null() || is_up(link)) continue;
    if (link.options.peers.empty()) {
      report_acceptor(link, findings);
    } else {
      report_initiator(link, findings);
    }
  }
}

void check_takeovers(const Gateway& gateway, const Machine&, Findings& findings) {
  for (const auto& link : gateway.links) {
    const auto takeovers = count(link.status, "takeovers");
    if (member(link.status, "certificate_shared") != true) continue;
    findings.push_back({"takeovers", link.name,
                        "another gateway with the same certificate took over the link " +
                            std::to_string(takeovers) + " times",
                        "two gateways that share a certificate take the link from each other",
                        "make a certificate for each: routevpn pki csr --name NAME, then routevpn "
                        "pki sign --name NAME"});
  }
}

}  // namespace routevpn::doctor
