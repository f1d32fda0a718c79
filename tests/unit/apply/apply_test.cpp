// From planned directory to machine: which steps, in which order.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "gateway.hpp"

using namespace routevpn;
using namespace routevpn::apply;

namespace {

void bring_up(Gateway& gateway) {
  REQUIRE(apply_to(gateway).status == 0);
  gateway.machine.up = {"rv2-1", "rv3-1"};
  gateway.machine.established = {"IBGP_rv2-1", "IBGP_rv3-1"};
  (void)gateway.machine.take_commands();
}

unsigned mode_of(const std::string& path) {
  return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

}  // namespace

TEST_CASE("the first run puts everything in place and starts it; the second has nothing to do") {
  Gateway gateway;
  auto first = apply_to(gateway);
  CHECK(first.faults.empty());
  CHECK(first.stopped.empty());
  CHECK(first.done ==
        Lines{"install /etc/routevpn/pki/V1-1.cert", "install /etc/routevpn/pki/V1-1.key",
              "install /etc/routevpn/pki/ca.cert", "install /etc/routevpn/psk/rv2-1.psk",
              "install /etc/routevpn/psk/rv3-1.psk", "install /etc/routevpn/bird/private.conf",
              "install /etc/routevpn/netns/private.conf", "install /etc/routevpn/rv2-1.conf",
              "install /etc/routevpn/rv3-1.conf", "enable routevpn.target",
              "enable routevpn-netns@private.service", "enable routevpn-bird@private.service",
              "enable routevpn@rv2-1.service", "enable routevpn@rv3-1.service",
              "start routevpn-netns@private.service", "start routevpn-bird@private.service",
              "start routevpn@rv2-1.service", "start routevpn@rv3-1.service"});
  const std::string enabling =
      "enable routevpn.target routevpn-netns@private.service routevpn-bird@private.service "
      "routevpn@rv2-1.service routevpn@rv3-1.service";
  CHECK(gateway.machine.take_commands() == Lines{enabling, "start routevpn-netns@private.service",
                                                 "start routevpn-bird@private.service",
                                                 "start routevpn@rv2-1.service",
                                                 "start routevpn@rv3-1.service"});
  CHECK(mode_of(gateway.on_machine("/etc/routevpn/pki")) == 0700);
  CHECK(mode_of(gateway.on_machine("/etc/routevpn/pki/V1-1.key")) == 0600);
  CHECK(mode_of(gateway.on_machine("/etc/routevpn/psk/rv2-1.psk")) == 0600);
  CHECK(mode_of(gateway.on_machine("/etc/routevpn/rv2-1.conf")) == 0644);

  const auto manifest = gateway.text_on_machine("/var/lib/routevpn/applied");
  const auto second = apply_to(gateway);
  CHECK(second.done.empty());
  CHECK(second.faults.empty());
  CHECK(gateway.machine.take_commands().empty());
  CHECK(gateway.text_on_machine("/var/lib/routevpn/applied") == manifest);
}

TEST_CASE("--dry-run has the same steps and changes nothing") {
  Gateway gateway;
  auto request = gateway.request();
  request.dry_run = true;
  const auto dry = apply_to(gateway, request);
  CHECK(gateway.machine.take_commands().empty());
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc")));
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/var")));
  CHECK(dry.done == apply_to(gateway).done);
}

TEST_CASE("a new link is started, and no other link is touched") {
  Gateway gateway;
  bring_up(gateway);
  gateway.set_links({"rv2-1", "rv3-1", "rv4-1"});
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/psk/rv4-1.psk", "install /etc/routevpn/bird/private.conf",
              "install /etc/routevpn/rv4-1.conf", "enable routevpn@rv4-1.service",
              "configure routevpn-bird@private.service", "start routevpn@rv4-1.service"});
  CHECK(gateway.machine.take_commands() == Lines{"enable routevpn@rv4-1.service",
                                                 "birdc private.ctl configure",
                                                 "start routevpn@rv4-1.service"});
}

TEST_CASE("a removed link is stopped behind the new ones, then its files are removed") {
  Gateway gateway;
  bring_up(gateway);
  gateway.set_links({"rv2-1", "rv4-1"});
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/psk/rv4-1.psk", "install /etc/routevpn/bird/private.conf",
              "install /etc/routevpn/rv4-1.conf", "enable routevpn@rv4-1.service",
              "configure routevpn-bird@private.service", "start routevpn@rv4-1.service",
              "stop and disable routevpn@rv3-1.service", "remove /etc/routevpn/psk/rv3-1.psk",
              "remove /etc/routevpn/rv3-1.conf"});
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc/routevpn/rv3-1.conf")));
  CHECK_FALSE(gateway.machine.active.contains("routevpn@rv3-1.service"));
  CHECK(apply_to(gateway).done.empty());
}

TEST_CASE("a removed link that has the port of a new link is stopped before that is started") {
  Gateway gateway({"rv2-1", "rv4-1"});
  REQUIRE(apply_to(gateway).status == 0);
  gateway.set_links({"rv2-1", "rv4-2"});  // both at port 10004
  const auto done = apply_to(gateway).done;
  const auto stop = std::ranges::find(done, "stop and disable routevpn@rv4-1.service");
  const auto start = std::ranges::find(done, "start routevpn@rv4-2.service");
  REQUIRE(start != done.end());
  CHECK(stop < start);
}

TEST_CASE("changed links are restarted one after the other") {
  Gateway gateway;
  bring_up(gateway);
  for (const auto* link : {"rv2-1", "rv3-1"}) gateway.add_to_link(link, "lanes = 2\n");
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/rv2-1.conf", "install /etc/routevpn/rv3-1.conf",
              "restart routevpn@rv2-1.service", "restart routevpn@rv3-1.service"});
  CHECK(gateway.machine.take_commands() ==
        Lines{"restart routevpn@rv2-1.service", "restart routevpn@rv3-1.service"});
}

TEST_CASE("new credentials and --accept prefixes are reloaded, and a comment changes no link") {
  Gateway gateway;
  bring_up(gateway);
  gateway.add_to_link("rv3-1", "accept = 10.0.3.0/24\n");
  gateway.add_to_link("rv2-1", "# a comment\n");
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/rv2-1.conf",
                                        "install /etc/routevpn/rv3-1.conf",
                                        "reload routevpn@rv3-1.service"});
  CHECK(gateway.machine.take_commands() == Lines{"reload link rv3-1"});

  gateway.issue();
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/pki/V1-1.cert", "install /etc/routevpn/pki/V1-1.key",
              "reload routevpn@rv2-1.service", "reload routevpn@rv3-1.service"});

  gateway.write_plan("psk/rv2-1.psk", test::psk_line(9), 0600);
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/psk/rv2-1.psk", "reload routevpn@rv2-1.service"});
}

TEST_CASE("a link is reloaded for other PSK files, and restarted when its last PSK goes") {
  Gateway gateway;
  bring_up(gateway);
  const std::string line = "psk = /etc/routevpn/psk/rv2-1.psk\n";
  const std::string new_line = "psk = /etc/routevpn/psk/rv2-1.odd-generation.psk\n";
  gateway.write_plan("psk/rv2-1.odd-generation.psk", test::psk_line(9), 0600);
  gateway.add_to_link("rv2-1", new_line);
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/psk/rv2-1.odd-generation.psk",
                                        "install /etc/routevpn/rv2-1.conf",
                                        "reload routevpn@rv2-1.service"});
  CHECK(gateway.machine.take_commands() == Lines{"reload link rv2-1"});

  std::ifstream conf(gateway.plan_at("links/rv2-1.conf"));
  std::string text{std::istreambuf_iterator<char>(conf), {}};
  text.erase(text.find(line), line.size());
  gateway.write_plan("links/rv2-1.conf", text);
  std::filesystem::remove(gateway.plan_at("psk/rv2-1.psk"));
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/rv2-1.conf",
                                        "reload routevpn@rv2-1.service",
                                        "remove /etc/routevpn/psk/rv2-1.psk"});

  text.erase(text.find(new_line), new_line.size());
  gateway.write_plan("links/rv2-1.conf", text);
  const auto done = apply_to(gateway).done;
  CHECK(std::ranges::count(done, "restart routevpn@rv2-1.service") == 1);
}

TEST_CASE(
    "a link that accepts routed sources is restarted for its prefixes, as a reload has no effect") {
  Gateway gateway;
  bring_up(gateway);
  gateway.add_to_link("rv2-1", "accept = routed\n");
  CHECK(apply_to(gateway).done.back() == "restart routevpn@rv2-1.service");
  gateway.add_to_link("rv2-1", "accept = 2001:db8::/32\n");
  CHECK(apply_to(gateway).done.back() == "restart routevpn@rv2-1.service");
}

TEST_CASE("BIRD and a namespace that have only a new file take it while they run") {
  Gateway gateway;
  bring_up(gateway);
  gateway.write_plan("bird/private.conf", "router id 0.0.1.2;\n");
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/bird/private.conf",
                                        "configure routevpn-bird@private.service"});
  gateway.write_plan("netns/private.conf", "interface = eth2\naddress = 10.0.1.12/24\n");
  CHECK(apply_to(gateway).done ==
        Lines{"install /etc/routevpn/netns/private.conf", "reload routevpn-netns@private.service"});
  CHECK(gateway.machine.take_commands() ==
        Lines{"birdc private.ctl configure", "reload routevpn-netns@private.service"});
}

TEST_CASE("a unit that has been stopped or disabled by hand is started and enabled again") {
  Gateway gateway;
  bring_up(gateway);
  gateway.machine.active.erase("routevpn@rv2-1.service");
  gateway.machine.enabled.erase("routevpn-bird@private.service");
  CHECK(apply_to(gateway).done ==
        Lines{"enable routevpn-bird@private.service", "start routevpn@rv2-1.service"});
}

TEST_CASE("a private namespace with a new name: the old one is stopped last, BIRD before it") {
  Gateway gateway;
  bring_up(gateway);
  gateway.write_plan("units",
                     "routevpn-netns@inner.service\nroutevpn-bird@inner.service\n"
                     "routevpn@rv2-1.service\nroutevpn@rv3-1.service\n");
  std::filesystem::rename(gateway.plan_at("netns/private.conf"),
                          gateway.plan_at("netns/inner.conf"));
  const auto done = apply_to(gateway).done;
  REQUIRE(done.size() > 4);
  CHECK(Lines(done.end() - 4, done.end()) ==
        Lines{"stop and disable routevpn-bird@private.service",
              "stop and disable routevpn-netns@private.service",
              "remove /etc/routevpn/bird/private.conf", "remove /etc/routevpn/netns/private.conf"});
  CHECK(gateway.text_on_machine("/etc/routevpn/bird/inner.conf").starts_with("router id"));
}

TEST_CASE("a file with the wrong mode is written again, and nothing is restarted for it") {
  Gateway gateway;
  bring_up(gateway);
  const auto key = gateway.on_machine("/etc/routevpn/pki/V1-1.key");
  std::filesystem::permissions(key, std::filesystem::perms{0644});
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/pki/V1-1.key"});
  CHECK(mode_of(key) == 0600);
}

TEST_CASE("a target that was disabled is enabled again") {
  Gateway gateway;
  bring_up(gateway);
  gateway.machine.enabled.erase("routevpn.target");
  CHECK(apply_to(gateway).done == Lines{"enable routevpn.target"});
}

TEST_CASE("Debian's BIRD is stopped unless it has a configuration") {
  Gateway gateway;
  const auto example = "log syslog all;\n";
  gateway.machine.enabled.insert("bird.service");
  gateway.machine.failed.insert("bird.service");
  gateway.write_machine("/usr/share/bird2/bird.conf", example);
  gateway.write_machine("/etc/bird/bird.conf", "protocol babel {}\n");
  bring_up(gateway);
  CHECK(gateway.machine.enabled.contains("bird.service"));

  gateway.write_plan("units",
                     "routevpn-netns@private.service\nroutevpn-bird@public.service\n"
                     "routevpn-bird@private.service\nroutevpn@rv2-1.service\n"
                     "routevpn@rv3-1.service\n");
  gateway.write_plan("bird/public.conf", "router id 0.0.1.1;\n");
  const auto kept = apply_to(gateway);
  CHECK(kept.done == Lines{"install /etc/routevpn/bird/public.conf",
                           "enable routevpn-bird@public.service",
                           "start routevpn-bird@public.service"});
  CHECK(kept.warnings ==
        Lines{"bird.service: stays; it has a configuration of its own, and runs in the same "
              "network namespace as routevpn-bird@public.service; systemctl disable --now "
              "bird.service stops it"});

  gateway.write_machine("/etc/bird/bird.conf", example);
  CHECK(apply_to(gateway).done == Lines{"stop and disable bird.service"});
  CHECK(gateway.machine.failed.empty());
  CHECK(apply_to(gateway).done.empty());
}
