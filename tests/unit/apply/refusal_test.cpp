// Wrong input: each fault is one line, and nothing changes.
#include "catch.hpp"
#include "gateway.hpp"

using namespace routevpn;
using namespace routevpn::apply;

TEST_CASE("a directory that is no gateway's plan is refused") {
  Gateway gateway;
  auto request = gateway.request();
  request.directory = std::filesystem::path(request.directory).parent_path();
  const auto applied = apply_to(gateway, request);
  CHECK(applied.faults ==
        Lines{request.directory + ": is not the planned directory of a gateway: it has no links; "
                                  "give DIR/GATEWAY of routevpn plan --out DIR"});
}

TEST_CASE("truncated and unknown files are refused before anything changes") {
  Gateway gateway;
  std::string wanted;
  SECTION("a link's last line") {
    gateway.add_to_link("rv2-1", "lanes = 2");
    wanted = "links/rv2-1.conf: is cut off in its last line; copy the planned directory again";
  }
  SECTION("an empty file") {
    gateway.write_plan("bird/private.conf", "");
    wanted = "bird/private.conf: is empty; copy the planned directory again";
  }
  SECTION("a certificate that ends early") {
    gateway.write_plan("pki/V1-1.cert", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    wanted = "pki/V1-1.cert";
  }
  SECTION("a PSK") {
    gateway.write_plan("psk/rv2-1.psk", "AAAA\n", 0600);
    wanted = "psk/rv2-1.psk";
  }
  SECTION("a missing key") {
    std::filesystem::remove(gateway.plan_at("pki/V1-1.key"));
    wanted = "/etc/routevpn/pki/V1-1.key: is not in the plan and not on this machine";
  }
  SECTION("units without a link") {
    gateway.write_plan("units", "routevpn-netns@private.service\nrouteVPN@x\n");
    wanted = "units:2: routeVPN@x: must be routevpn-netns@NAME.service, ";
    const auto applied = apply_to(gateway);
    REQUIRE(applied.faults.size() == 3);  // rv2-1 and rv3-1 have no unit, too
    CHECK_THAT(applied.faults[0], ContainsSubstring(wanted));
    CHECK_THAT(applied.faults[1],
               ContainsSubstring("units: has no line routevpn@rv2-1.service for "));
    return;
  }
  SECTION("a unit without a file") {
    gateway.write_plan("units",
                       "routevpn-netns@private.service\nroutevpn-bird@private.service\n"
                       "routevpn@rv2-1.service\nroutevpn@rv3-1.service\nroutevpn@rv9.service\n");
    wanted = "units: routevpn@rv9.service: the plan has no file for /etc/routevpn/rv9.conf";
  }
  SECTION("another file") {
    gateway.write_plan("links/rv2-1.conf~", "x\n");
    wanted = "links/rv2-1.conf~: is not a planned file; allowed are NAME.conf";
  }
  CHECK_THAT(fault_of(gateway), ContainsSubstring(wanted));
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc/routevpn")));
}

TEST_CASE("a folder that is a file, or cannot be entered, is a fault with its reason") {
  Gateway gateway;
  const std::string folder = GENERATE("links", "pki", "bird");
  std::filesystem::remove_all(gateway.plan_at(folder));
  SECTION("a file") {
    gateway.write_plan(folder, "text\n");
    CHECK(fault_of(gateway) == gateway.plan_at(folder) + ": cannot be read: Not a directory");
  }
  SECTION("a symbolic link to itself") {
    std::filesystem::create_symlink(gateway.plan_at(folder), gateway.plan_at(folder));
    CHECK(fault_of(gateway) ==
          gateway.plan_at(folder) + ": cannot be read: Too many levels of symbolic links");
  }
}

TEST_CASE("a file whose name would break the manifest is refused") {
  Gateway gateway;
  gateway.write_plan("pki/a\nfile 00 .cert", "text\n");
  CHECK_THAT(fault_of(gateway), ContainsSubstring("is not a planned file; allowed are NAME.cert"));
}

TEST_CASE("a link's faults and paths are named with file and line") {
  Gateway gateway;
  std::string wanted;
  SECTION("option") {
    gateway.add_to_link("rv2-1", "mtu = 70\n");
    wanted = "/links/rv2-1.conf:10: mtu = 70: must be ";
  }
  SECTION("crl") {
    gateway.add_to_link("rv2-1", "crl = /root/ca.crl\n");
    wanted = "/links/rv2-1.conf:10: crl = /root/ca.crl: must be /etc/routevpn/pki/NAME.crl";
  }
  SECTION("psk") {
    gateway.add_to_link("rv2-1", "psk = /etc/routevpn/psk/../x.psk\n");
    wanted =
        "/links/rv2-1.conf:10: psk = /etc/routevpn/psk/../x.psk: must be "
        "/etc/routevpn/psk/NAME.psk";
  }
  CHECK_THAT(fault_of(gateway), ContainsSubstring(wanted));
}

TEST_CASE("a BIRD file that bird -p refuses, and a missing BIRD") {
  Gateway gateway;
  gateway.machine.bird_fault = "bird: private.conf:3:1 syntax error\n";
  CHECK(fault_of(gateway) == "bird: private.conf:3:1 syntax error");
  gateway.machine.has_bird = false;
  CHECK(apply_to(gateway).warnings ==
        Lines{"bird is not installed, so the planned BIRD files were not checked"});
}

TEST_CASE("units that are not installed or masked") {
  Gateway gateway;
  SECTION("masked") {
    gateway.machine.masked = {"routevpn@rv2-1.service"};
    CHECK(fault_of(gateway) ==
          "routevpn@rv2-1.service: is masked; systemctl unmask routevpn@rv2-1.service");
  }
  SECTION("not installed") {
    gateway.machine.installed = false;
    CHECK_THAT(fault_of(gateway), ContainsSubstring("the units come with the package routevpn"));
  }
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc/routevpn")));
}

TEST_CASE("the plan of another gateway is refused, by the manifest and by the certificate") {
  Gateway gateway;
  SECTION("certificate") {
    gateway.issue("V1-2");
    CHECK_THAT(fault_of(gateway),
               ContainsSubstring("/pki/V1-1.cert: is the certificate of V1-2, not of V1-1"));
  }
  SECTION("manifest") {
    gateway.write_machine("/var/lib/routevpn/applied", "gateway V1-2\n");
    CHECK_THAT(fault_of(gateway),
               ContainsSubstring("this is the plan of the gateway V1-1, and this machine is V1-2"));
  }
}

TEST_CASE("a file that apply did not write is replaced with --force alone") {
  Gateway gateway;
  gateway.write_machine("/etc/routevpn/rv2-1.conf", "peer = 192.0.2.9\n");
  gateway.machine.active = {"routevpn@rv2-1.service"};
  CHECK_THAT(fault_of(gateway),
             ContainsSubstring("/etc/routevpn/rv2-1.conf: exists and was not written by routevpn "
                               "apply; remove it, or replace it with --force"));
  CHECK(gateway.text_on_machine("/etc/routevpn/rv2-1.conf") == "peer = 192.0.2.9\n");
  auto request = gateway.request();
  request.force = true;
  const auto forced = apply_to(gateway, request);
  // It ran with the foreign file.
  CHECK(forced.done.back() == "restart routevpn@rv2-1.service");
  CHECK(apply_to(gateway).done.empty());
}

TEST_CASE("a running link whose files were equal to the plan is not restarted at the first apply") {
  Gateway gateway;
  for (const auto* path : {"pki/V1-1.cert", "pki/V1-1.key", "pki/ca.cert", "psk/rv2-1.psk"}) {
    std::filesystem::create_directories(
        std::filesystem::path(gateway.on_machine(std::string("/etc/routevpn/") + path))
            .parent_path());
    std::filesystem::copy(gateway.plan_at(path),
                          gateway.on_machine(std::string("/etc/routevpn/") + path));
  }
  std::filesystem::copy(gateway.plan_at("links/rv2-1.conf"),
                        gateway.on_machine("/etc/routevpn/rv2-1.conf"));
  gateway.machine.active = {"routevpn@rv2-1.service"};
  const auto applied = apply_to(gateway);
  CHECK(applied.faults.empty());
  const auto commands = gateway.machine.take_commands();
  for (const auto& command : commands) {
    CHECK(command != "restart routevpn@rv2-1.service");
    CHECK(command != "reload link rv2-1");
  }
  CHECK(apply_to(gateway).done.empty());
}

TEST_CASE("a file that was changed on the machine is refused, also if it is no longer planned") {
  Gateway gateway;
  REQUIRE(apply_to(gateway).status == 0);
  (void)gateway.machine.take_commands();
  gateway.write_machine("/etc/routevpn/rv3-1.conf", "peer = 192.0.2.9\n");
  SECTION("planned") {
    CHECK_THAT(fault_of(gateway),
               ContainsSubstring(
                   "/etc/routevpn/rv3-1.conf: was changed on this machine since the last apply"));
  }
  SECTION("removed") {
    gateway.set_links({"rv2-1"});
    CHECK_THAT(
        fault_of(gateway),
        ContainsSubstring("/etc/routevpn/rv3-1.conf: is no longer planned, and was changed"));
  }
  CHECK(gateway.text_on_machine("/etc/routevpn/rv3-1.conf") == "peer = 192.0.2.9\n");
}

TEST_CASE("a certificate that the gateway renewed stays until the plan has a new one") {
  Gateway gateway;
  REQUIRE(apply_to(gateway).status == 0);
  (void)gateway.machine.take_commands();
  const auto planned = gateway.text_on_machine("/etc/routevpn/pki/V1-1.cert");
  gateway.write_machine("/etc/routevpn/pki/V1-1.cert", planned + planned);
  const auto kept = apply_to(gateway);
  CHECK(kept.faults.empty());
  REQUIRE(kept.warnings.size() == 1);
  CHECK_THAT(kept.warnings[0], ContainsSubstring("/etc/routevpn/pki/V1-1.cert: stays"));
  CHECK(gateway.text_on_machine("/etc/routevpn/pki/V1-1.cert") == planned + planned);
  (void)gateway.machine.take_commands();
  // The links will read the certificate of the machine, so that is checked.
  gateway.write_machine("/etc/routevpn/pki/V1-1.cert", "nonsense\n");
  CHECK_THAT(fault_of(gateway),
             ContainsSubstring(gateway.on_machine("/etc/routevpn/pki/V1-1.cert") + ": "));
  gateway.issue();
  CHECK_THAT(fault_of(gateway), ContainsSubstring("/etc/routevpn/pki/V1-1.cert: was changed"));
}

TEST_CASE("a directory in which another user can make files is refused") {
  Gateway gateway;
  const std::string where = GENERATE("/etc/routevpn", "/etc/routevpn/pki", "/var/lib/routevpn");
  std::filesystem::create_directories(gateway.on_machine(where));
  std::filesystem::permissions(gateway.on_machine(where), std::filesystem::perms{0777});
  CHECK_THAT(fault_of(gateway), ContainsSubstring(where + "/: mode is 0777") ||
                                    ContainsSubstring(where + ": mode is 0777"));
}

TEST_CASE("a manifest that cannot be read is refused with its line") {
  Gateway gateway;
  gateway.write_machine("/var/lib/routevpn/applied", "gateway V1-1\nfile deadbeef\n");
  CHECK_THAT(fault_of(gateway), ContainsSubstring("/var/lib/routevpn/applied:2: must be "));
}
