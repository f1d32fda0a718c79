// The exporter in the private namespace, which the map of the network asks.
#include <filesystem>

#include "catch.hpp"
#include "gateway.hpp"

using namespace routevpn;
using namespace routevpn::apply;
using Catch::Matchers::EndsWith;

TEST_CASE("the exporter starts last, and restarts when its options or the topology change") {
  Gateway gateway({"rv2-1"});
  gateway.write_plan("units",
                     "routevpn-netns@private.service\nroutevpn-bird@private.service\n"
                     "routevpn@rv2-1.service\nroutevpn-exporter@private.service\n");
  const std::string conf = "exporter/private.conf";
  const std::string topology =
      "[organisation]\nas = 65000\ninterconnect4 = \"10.255.0.0/24\"\n"
      "[[site]]\nname = \"1\"\nprefixes = [\"10.0.1.0/24\"]\n"
      "gateway = [{ name = \"V1-1\", address = \"192.0.2.1\" }]\n";
  gateway.write_plan(conf, "# V1-1\nROUTEVPN_EXPORTER_OPTIONS=--listen 10.0.1.11:9586\n");
  gateway.write_plan("exporter/topology.toml", topology);
  CHECK(apply_to(gateway).done.back() == "start routevpn-exporter@private.service");
  CHECK(apply_to(gateway).done.empty());
  const std::string restart = "restart routevpn-exporter@private.service";
  gateway.write_plan("exporter/topology.toml", "# changed\n" + topology);
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/exporter/topology.toml", restart});
  gateway.write_plan(conf, "ROUTEVPN_EXPORTER_OPTIONS=--listen 10.0.1.11:9587\n");
  gateway.machine.take_commands();
  CHECK(apply_to(gateway).done == Lines{"install /etc/routevpn/exporter/private.conf", restart});
  CHECK(gateway.machine.take_commands() == Lines{restart});
  gateway.write_plan(conf, "ROUTEVPN_EXPORTER_OPTIONS=\n--listen 9586\n");
  const std::string rule =
      "exporter/private.conf: must have one line, ROUTEVPN_EXPORTER_OPTIONS=OPTIONS";
  CHECK_THAT(fault_of(gateway), EndsWith(rule));
  gateway.write_plan(conf, "# nothing\n");
  CHECK_THAT(fault_of(gateway), EndsWith(rule));
  gateway.write_plan(conf, "ROUTEVPN_EXPORTER_OPTIONS=\n");
  gateway.write_plan("exporter/topology.toml", "[organisation\n");
  CHECK_THAT(fault_of(gateway), ContainsSubstring("exporter/topology.toml:1: "));
  std::filesystem::remove(gateway.plan_at("exporter/topology.toml"));
  CHECK_THAT(fault_of(gateway), EndsWith("exporter/private.conf: the plan has no file for "
                                         "/etc/routevpn/exporter/topology.toml"));

  std::filesystem::remove_all(gateway.plan_at("exporter"));
  gateway.set_links({"rv2-1"});
  CHECK(apply_to(gateway).done == Lines{"stop and disable routevpn-exporter@private.service",
                                        "remove /etc/routevpn/exporter/private.conf",
                                        "remove /etc/routevpn/exporter/topology.toml"});
}
