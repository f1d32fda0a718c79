#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

const std::string accept_port =
    R"([{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}},
        "right": 7754}}, {"accept": null}])";
const std::string accept_established =
    R"([{"match": {"op": "in", "left": {"ct": {"key": "state"}},
        "right": ["established", "related"]}}, {"accept": null}])";
const std::string accept_loopback =
    R"([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}},
        {"accept": null}])";
const std::string accept_ssh =
    R"([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
        "right": {"set": [22, 7754]}}}, {"accept": null}])";

std::string port_rule(const std::string& value, const std::string& verdict,
                      const std::string& op = "==") {
  return R"([{"match": {"op": ")" + op +
         R"(", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": )" + value +
         R"(}}, {"counter": {"packets": 0, "bytes": 0}}, {")" + verdict + R"(": null}])";
}

bool is_found(const std::string& rules) {
  FakeMachine machine;
  machine.programs["nft -j list ruleset"] = {0, rules};
  const auto findings = findings_of(sound_gateway(), machine);
  if (findings.empty()) return false;
  const auto finding = only(findings, "firewall");
  CHECK(finding.where == "rv2");  // the acceptor
  CHECK(finding.mend == "nft insert rule inet filter input udp dport 7754 accept");
  return true;
}

}  // namespace

TEST_CASE("a chain that drops the port of an acceptor is found") {
  CHECK(is_found(ruleset("drop", {})));
  CHECK(is_found(ruleset("drop", {accept_established, accept_loopback, accept_ssh})));
  CHECK(is_found(ruleset("drop", {port_rule("7755", "accept")})));
  CHECK(is_found(ruleset("drop", {port_rule(R"({"range": [7700, 7753]})", "accept")})));
  CHECK(is_found(ruleset("drop", {port_rule("7754", "accept", "!=")})));
  CHECK(is_found(ruleset("accept", {port_rule("7754", "drop")})));
  CHECK(is_found(ruleset("accept", {R"([{"drop": null}])"})));
}

TEST_CASE("a chain that accepts the port is no finding") {
  CHECK_FALSE(is_found(ruleset("accept", {})));
  CHECK_FALSE(is_found(ruleset("drop", {accept_established, accept_port})));
  CHECK_FALSE(is_found(ruleset("drop", {port_rule(R"({"range": [7700, 7800]})", "accept")})));
  CHECK_FALSE(is_found(ruleset("drop", {port_rule(R"({"set": [53, 7754]})", "accept")})));
  CHECK_FALSE(is_found(ruleset("accept", {accept_port, R"([{"drop": null}])"})));
  CHECK_FALSE(is_found(ruleset("accept", {port_rule("7755", "drop")})));
}

TEST_CASE("a rule that is not understood may accept the port") {
  CHECK_FALSE(is_found(ruleset("drop", {port_rule(R"("@ports")", "accept")})));
  CHECK_FALSE(is_found(ruleset("drop", {R"([{"xt": {"type": "match", "name": "x"}},
                                            {"accept": null}])"})));
  CHECK_FALSE(is_found(ruleset("drop", {R"([{"match": {"op": "==", "left":
      {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "192.0.2.1"}},
      {"accept": null}])"})));
  CHECK_FALSE(is_found("no JSON"));
  CHECK_FALSE(is_found("{}"));
  CHECK_FALSE(is_found(R"({"nftables": [1, {"chain": 2}, {"rule": []}]})"));
}

TEST_CASE("jumps and verdict maps are followed") {
  const std::string jump = R"([{"jump": {"target": "vpn"}}])";
  CHECK(is_found(ruleset("drop", {jump})));
  CHECK_FALSE(is_found(ruleset("drop", {jump, "vpn:" + accept_port})));
  CHECK(is_found(ruleset("accept", {jump, "vpn:" + port_rule("7754", "drop")})));
  CHECK_FALSE(is_found(ruleset("accept", {jump, R"(vpn:[{"jump": {"target": "vpn"}}])"})));
  const auto states = [](const std::string& entry) {
    return R"([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [
        ["established", {"accept": null}], ["related", {"accept": null}])" +
           entry + "]}}}]";
  };
  CHECK(is_found(ruleset("drop", {states("")})));
  CHECK_FALSE(is_found(ruleset("drop", {states(R"(, ["new", {"accept": null}])")})));
}

TEST_CASE("without nft, without rights and for initiators the firewall is no finding") {
  FakeMachine machine;
  machine.programs["nft -j list ruleset"] = {1, ""};
  CHECK(findings_of(sound_gateway(), machine).empty());
  machine.programs.erase("nft -j list ruleset");
  CHECK(findings_of(sound_gateway(), machine).empty());
  machine.programs["nft -j list ruleset"] = {0, ruleset("drop", {})};
  auto gateway = sound_gateway();
  gateway.links.pop_back();
  CHECK(findings_of(gateway, machine).empty());
}

TEST_CASE("every lane of an acceptor has a port") {
  FakeMachine machine;
  machine.programs["nft -j list ruleset"] = {0, ruleset("drop", {accept_port})};
  auto gateway = sound_gateway();
  gateway.links[1].options.lanes = 2;
  CHECK_THAT(only(findings_of(gateway, machine), "firewall").what, ContainsSubstring("port 7755"));
}
