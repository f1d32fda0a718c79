#include "sound_gateway.hpp"

#include "catch.hpp"

namespace routevpn::test {

namespace {

doctor::Link link(const std::string& name, const char* v4, const char* v6) {
  doctor::Link made{name, "/etc/routevpn/" + name + ".conf", {}};
  made.options.ifname = name;
  made.options.netns = "private";
  made.options.certificate = "/etc/routevpn/pki/V1-1.cert";
  made.options.ca = "/etc/routevpn/pki/ca.cert";
  made.options.crl = "/etc/routevpn/pki/ca.crl";
  made.options.addresses = {*IpPrefix::parse(v4), *IpPrefix::parse(v6)};
  made.status = nlohmann::json::parse(R"({"state": "up", "reason": "connected", "mtu": 1415,
    "path_mtu": 1500, "remote": "[2001:db8:3::1]:7754", "takeovers": 0, "settings_read": "2100-01-01T00:00:00Z",
    "cipher": "ECDHE-ECDSA-AES128-GCM-SHA256", "udp_segment": true, "drops": {},
    "peer": {"name": "V2-1", "not_after": "2100-01-01T00:00:00Z"}})");
  return made;
}

std::string joined(const doctor::Machine::Words& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

}  // namespace

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

FakeMachine::FakeMachine() {
  files = {{"/dev/net/tun", ""},
           {"/run/systemd/system", ""},
           {"/etc/routevpn/pki/V1-1.cert", certificates().own.certificate},
           {"/etc/routevpn/pki/ca.cert", certificates().ca.certificate()},
           {"/etc/routevpn/pki/ca.crl", certificates().ca.revoke({}, 365)},
           {"/etc/routevpn/bird/private.conf",
            "define OWN4 = [ 10.0.1.0/24 ];\ndefine OWN6 = [ 2001:db8:a1::/64 ];\n"}};
  for (const char* const netns : {"", "private"}) {
    sysctls[{netns, "ipv4/ip_forward"}] = "1";
    sysctls[{netns, "ipv6/conf/all/forwarding"}] = "1";
    sysctls[{netns, "ipv4/conf/all/rp_filter"}] = "0";
    sysctls[{netns, "ipv4/conf/all/src_valid_mark"}] = "0";
  }
  for (const char* const name : {"rv1", "rv2"}) {
    const std::string unit = std::string(" routevpn@") + name + ".service";
    programs["systemctl is-enabled" + unit] = {0, "enabled\n"};
    programs["systemctl is-active" + unit] = {0, "active\n"};
  }
  programs["nft -j list ruleset"] = {0, R"({"nftables": []})"};
  programs["nft list tables"] = {0, ""};
  programs[birdc] = {0, bird_session("IBGP_V2_1", "10.255.0.2", "Established", 1, 1) +
                            bird_session("IBGP_V3_1", "2001:db8:ff::3", "Established", 1, 1)};
}

std::optional<std::string> FakeMachine::read(const std::string& path) const {
  const auto found = files.find(path);
  return found == files.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> FakeMachine::sysctl(const std::string& netns,
                                               const std::string& path) const {
  const auto found = sysctls.find({netns, path});
  return found == sysctls.end() ? std::nullopt : std::optional(found->second);
}

std::optional<doctor::ProgramResult> FakeMachine::run(const std::string&,
                                                      const Words& words) const {
  const auto found = programs.find(joined(words));
  return found == programs.end() ? std::nullopt : std::optional(found->second);
}

std::optional<pki::TimePoint> FakeMachine::changed(const std::string& path) const {
  const auto found = changes.find(path);
  return found == changes.end() ? wall - std::chrono::hours(1) : found->second;
}

doctor::Gateway sound_gateway() {
  doctor::Gateway gateway;
  gateway.links = {link("rv1", "10.255.0.1/30", "2001:db8:ff::/127"),
                   link("rv2", "10.255.0.5/30", "2001:db8:ff::2/127")};
  gateway.links[0].options.peers = {{"192.0.2.1", 7754}};
  gateway.links[1].options.listen = options::ListenAddress{std::nullopt, 7754};
  return gateway;
}

doctor::Findings findings_of(const doctor::Gateway& gateway, const FakeMachine& machine) {
  return doctor::examine(gateway, machine);
}

doctor::Finding only(const doctor::Findings& findings, const std::string& check) {
  CAPTURE(doctor::to_text(findings));
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().check == check);
  CHECK_FALSE(findings.front().why.empty());
  CHECK_FALSE(findings.front().mend.empty());
  return findings.front();
}

std::string bird_session(const std::string& name, const std::string& neighbor,
                         const std::string& state, int exported4, int exported6) {
  const auto channel = [](const char* family, int exported) {
    return std::string("  Channel ") + family +
           "\n    State:          UP\n    Table:          master4\n    Preference:     100\n"
           "    Routes:         1 imported, " +
           std::to_string(exported) + " exported, 1 preferred\n";
  };
  std::string text = name + "  BGP        ---        up     12:00:00.000  " + state +
                     "   \n  BGP state:          " + state + "\n    Neighbor address: " + neighbor +
                     "\n    Neighbor AS:      65000\n";
  if (state == "Established") text += channel("ipv4", exported4) + channel("ipv6", exported6);
  return text + "\n";
}

std::string ruleset(const std::string& policy, const std::vector<std::string>& rules) {
  std::string text = R"({"nftables": [{"metainfo": {"version": "1.0.6"}},
    {"table": {"family": "inet", "name": "filter", "handle": 1}},
    {"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 1,
               "type": "filter", "hook": "input", "prio": 0, "policy": ")" +
                     policy + R"("}},
    {"chain": {"family": "inet", "table": "filter", "name": "vpn", "handle": 2}})";
  for (const auto& rule : rules) {
    const std::string chain = rule.starts_with("vpn:") ? "vpn" : "input";
    text += R"(, {"rule": {"family": "inet", "table": "filter", "chain": ")" + chain +
            R"(", "handle": 3, "expr": )" + (chain == "vpn" ? rule.substr(4) : rule) + "}}";
  }
  return text + "]}";
}

}  // namespace routevpn::test
