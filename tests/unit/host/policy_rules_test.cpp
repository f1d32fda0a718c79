#include <optional>

#include "routevpn/base/error.hpp"
#include "routevpn/host/guardian.hpp"

#include "catch.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

TEST_CASE("policy rules exist while the guardian runs") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  {
    const Guardian guardian = start_guardian(rule_duties, lab);
    CHECK_THAT(lab.ip("rule"),
               ContainsSubstring("32764:\tfrom all lookup main suppress_prefixlength 0 proto 77\n"
                                 "32765:\tnot from all fwmark 0x1e4a lookup 51 proto 77\n"));
    CHECK_THAT(lab.ip("-6 rule"),
               ContainsSubstring("32764:\tfrom all lookup main suppress_prefixlength 0 proto 77\n"
                                 "32765:\tnot from all fwmark 0x1e4a lookup 51 proto 77\n"));
  }
  CHECK(lab.ip("rule") == plain_rules_v4);
  CHECK(lab.ip("-6 rule") == plain_rules_v6);
}

TEST_CASE("policy rules are made only for the families in use") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  GuardianDuties duties = rule_duties;
  duties.ipv6 = false;
  const Guardian guardian = start_guardian(duties, lab);
  CHECK_THAT(lab.ip("rule"), ContainsSubstring("lookup 51"));
  CHECK(lab.ip("-6 rule") == plain_rules_v6);
}

TEST_CASE("policy rules send unmarked packets to the link") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("ip link add out0 type veth peer name rv0");
  lab.must("ip address add 192.0.2.1/24 dev out0");
  lab.must("ip link set out0 up");
  lab.must("ip link set rv0 up");
  lab.must("ip route add default dev out0");
  lab.must("ip route add default dev rv0 table 51");
  const Guardian guardian = start_guardian(rule_duties, lab);
  CHECK_THAT(lab.ip("route get 203.0.113.1"), ContainsSubstring("dev rv0"));
  CHECK_THAT(lab.ip("route get 203.0.113.1 mark 7754"), ContainsSubstring("dev out0"));
  CHECK_THAT(lab.ip("route get 192.0.2.9"), ContainsSubstring("dev out0"));
}

TEST_CASE("links with different tables may start and stop in any order") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  GuardianDuties other = rule_duties;
  other.table = 52;
  std::optional<Guardian> first = start_guardian(rule_duties, lab);
  {
    const Guardian second = start_guardian(other, lab);
    first.reset();
    CHECK_THAT(lab.ip("rule"),
               ContainsSubstring("32762:\tfrom all lookup main suppress_prefixlength 0 proto 77\n"
                                 "32763:\tnot from all fwmark 0x1e4a lookup 52 proto 77\n"));
    CHECK_THAT(lab.ip("rule"), !ContainsSubstring("lookup 51"));
  }
  CHECK(lab.ip("rule") == plain_rules_v4);
}

TEST_CASE("an existing rule is refused and kept") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("ip -6 rule add not fwmark 7754 table 51");
  const std::string before = lab.ip("-6 rule");
  CHECK(error_of<UsageError>(rule_duties, lab) ==
        "--fwmark: ip -6 rule \"not from all fwmark 7754 lookup 51\" already exists");
  CHECK(lab.ip("-6 rule") == before);
  CHECK(lab.ip("rule") == plain_rules_v4);  // added first, then removed
}
