#include "routevpn/options/link_table.hpp"

#include <set>

#include "routevpn/options/settings.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::options;
using std::chrono::milliseconds;

namespace {

// Every option of a file, with a value that is not the default.
constexpr std::string_view full =
    "listen = [2001:db8::1]:5801\n"
    "allow = 192.0.2.0/24\n"
    "allow = 2001:db8::/32\n"
    "public-netns = outside\n"
    "fwmark = 16\n"
    "dscp = copy\n"
    "ifname = rv3-1\n"
    "address = 10.255.0.5/30\n"
    "address = 2001:db8:ff::5/127\n"
    "netns = private\n"
    "mtu = 1400\n"
    "lanes = 2\n"
    "route = 10.3.0.0/16\n"
    "accept = 10.3.0.0/16\n"
    "accept = routed\n"
    "accept = 2001:db8:a3::/64\n"
    "table = 77\n"
    "nat = yes\n"
    "cert = a.cert\n"
    "key = a.key\n"
    "ca = my ca.cert\n"
    "crl = ca.crl\n"
    "crl-grace = 3\n"
    "psk = new.psk\n"
    "psk = old.psk\n"
    "peer-name = V3-1\n"
    "ciphers = ECDHE-ECDSA-CHACHA20-POLY1305\n"
    "crypto = openssl\n"
    "rekey = 600\n"
    "rekey-records = 20000\n"
    "keepalive = 100\n"
    "dead-after = 350\n"
    "up-delay = 500\n"
    "on-state = \"logger '# \\\"x\\\"'\"\n"
    "run-dir = /run/lab\n"
    "log-level = debug\n"
    "log-format = json\n"
    "user = vpn\n"
    "no-sandbox = yes\n";

}  // namespace

TEST_CASE("a file with every option is read and written") {
  const ScratchDirectory scratch;
  const auto parsed = parse({"--config", scratch.write("a.conf", std::string(full))});
  CHECK(parsed.faults.empty());
  CHECK(to_config(parsed.options) == full);
  LinkDraft draft;
  for (const auto& option : link_table(draft)) {
    // A link with a peer, and with keepalive and dead-after, cannot have these.
    if (!option.value.write || option.name == "peer" || option.name == "detection") continue;
    CAPTURE(option.name);
    CHECK_THAT("\n" + std::string(full),
               ContainsSubstring("\n" + std::string(option.name) + " = "));
  }
  // The worker gets its options so.
  auto again = from_config(full);
  again.link = parsed.options.link;
  again.config_file = parsed.options.config_file;
  CHECK(again == parsed.options);
  CHECK_THROWS_AS(from_config("mtu = many\n"), UsageErrors);
}

TEST_CASE("without options a link has the documented defaults") {
  const auto options = parse_words("--peer b --peer-name b").options;
  LinkOptions defaults;
  defaults.peers = {{"b", 7754}};
  defaults.peer_name = "b";
  CHECK(options == defaults);
  CHECK(options.ifname == "rv%d");
  CHECK(options.certificate == "/etc/routevpn/cert.pem");
  CHECK(options.key == "/etc/routevpn/key.pem");
  CHECK(options.ca == "/etc/routevpn/ca.pem");
  CHECK_FALSE(options.detection);
  CHECK_FALSE(options.keepalive);
  CHECK_FALSE(options.dead_after);
  CHECK(options.up_delay == milliseconds(0));
  CHECK(options.rekey == std::chrono::hours(1));
  CHECK(options.run_dir == "/run/routevpn");
  CHECK_FALSE(options.mtu);
  CHECK(options.dscp == 0);
  CHECK(options.user.empty());
  CHECK_FALSE(options.no_sandbox);
}

TEST_CASE("--accept takes prefixes and the word routed") {
  const auto of = [](const std::string& words) {
    return parse_words("--peer b --peer-name b " + words).options;
  };
  CHECK_FALSE(of("").accepts_routed());
  CHECK_FALSE(of("--accept 10.3.0.0/16").accepts_routed());
  const auto both = of("--accept 10.3.0.0/16 --accept routed");
  CHECK(both.accepts_routed());
  CHECK(both.accepted_prefixes() == std::vector{*IpPrefix::parse("10.3.0.0/16")});
}

TEST_CASE("names and letters are unique") {
  LinkDraft draft;
  std::set<std::string> seen;
  for (const auto& option : link_table(draft)) {
    CAPTURE(option.name);
    CHECK(seen.insert(std::string(option.name)).second);
    if (option.letter != no_letter) CHECK(seen.insert(std::string(1, option.letter)).second);
  }
}

TEST_CASE("--help shows letter, placeholder, default and group of an option") {
  LinkDraft draft;
  const auto help = help_text(link_table(draft));
  CHECK_THAT(help, ContainsSubstring("The interface:\n  -n [ --ifname ] NAME "));
  CHECK_THAT(help, ContainsSubstring(" (rv%d)\n"));
  CHECK_THAT(help, ContainsSubstring("  --dead-after MS "));
  CHECK_THAT(help, ContainsSubstring(" auto, openssl "));
}
