#include "routevpn/plan/render.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>

#include <sys/wait.h>

#include "routevpn/cli/command_line.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "unit/cli/parsing.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;

namespace {

const PlannedFile& file_of(const PlannedFiles& files, const std::string& path) {
  for (const auto& file : files) {
    if (file.path == path) return file;
  }
  FAIL("no file " + path);
  throw;
}

// The options of a link's file, as `routevpn check` reads them.
options::LinkOptions options_of(const cli::ScratchDirectory& dir, const PlannedFile& file) {
  const auto path = dir.write("link.conf", file.content);
  const std::vector<std::string> words = {"check", "--config", path};
  auto line = cli::parse_command_line(words);
  CAPTURE(file.path, file.content);
  CHECK(line.faults.empty());
  CHECK(line.warnings.empty());
  return std::get<cli::CheckLink>(line.command).options;
}

// The output of `bird -p` for a file; empty if the file is valid.
std::string bird_on(const std::string& path) {
  const std::string command = "bird -p -c " + path + " 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string said;
  std::array<char, 512> buffer{};
  while (fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) said += buffer.data();
  const int status = pclose(pipe.release());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) said += "bird failed";
  return said;
}

const std::string defaults =
    std::string("[defaults]\ninclude = \"") + ROUTEVPN_SOURCE_DIR + "/bird\"\n";

}  // namespace

TEST_CASE("the planned files of the lab equal the expected files") {
  const auto files = render(plan_of(source("lab/topology.toml")));
  const std::filesystem::path expected = ROUTEVPN_SOURCE_DIR "/tests/unit/plan/expected";
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(expected)) {
    if (!entry.is_regular_file()) continue;
    const auto path = std::filesystem::relative(entry.path(), expected).string();
    CAPTURE(path);
    CHECK(file_of(files, path).content == read_text(entry.path()));
    ++compared;
  }
  CHECK(compared > 15);
}

TEST_CASE("every planned link is valid, and its two ends match") {
  const cli::ScratchDirectory dir;
  auto text = mesh(10) + "[[link]]\nbetween = [\"V1-1\", \"V2-2\"]\nbandwidth = 100\ncost = 3\n";
  text +=
      "[[site]]\nname = \"paris\"\nprefixes = \"10.9.0.0/16\"\n[[site.gateway]]\n"
      "name = \"lyon\"\naddress = [\"192.0.2.1\", \"2001:db8:99::1\"]\nrun-dir = \"/run/x\"\n"
      "crl = \"/etc/{site}.crl\"\n";
  const auto plan = plan_of(text);
  const auto files = render(plan);
  for (const auto& link : plan.links) {
    const auto& initiator = plan.topology.gateways[link.gateways[0]];
    const auto& acceptor = plan.topology.gateways[link.gateways[1]];
    const auto a =
        options_of(dir, file_of(files, initiator.name + "/links/" + acceptor.ifname + ".conf"));
    const auto b =
        options_of(dir, file_of(files, acceptor.name + "/links/" + initiator.ifname + ".conf"));
    REQUIRE(a.peers.size() == 1);
    CHECK(b.peers.empty());
    CHECK(a.peers[0].host == b.listen->address->to_string());
    CHECK(a.peers[0].port == b.listen->port);
    REQUIRE(b.allow.size() == 1);
    CHECK(b.allow[0].address == a.listen->address);
    CHECK(a.peer_name == acceptor.name);
    CHECK(b.peer_name == initiator.name);
    REQUIRE(a.addresses.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(a.addresses[i].network() == b.addresses[i].network());
      CHECK(a.addresses[i] < b.addresses[i]);
    }
  }
  CHECK_THAT(file_of(files, "V1-1/links/rv2-2.conf").content,
             StartsWith("# V1-1 to V2-2, 100 Mbit/s, cost 3. Written by routevpn plan"));
  CHECK_THAT(file_of(files, "lyon/links/rv1-1.conf").content,
             ContainsSubstring(
                 "\ncrl = /etc/paris.crl\npsk = /etc/routevpn/psk/rv1-1.psk\nrun-dir = /run/x\n"));
}

TEST_CASE("a link has the detection of its table, or else that of the organisation") {
  const auto text = mesh(2, 2, "detection = \"fast\"\n") +
                    "[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\ndetection = \"patient\"\n";
  const auto files = render(plan_of(text));
  for (const char* path : {"V1-1/links/rv2-1.conf", "V2-1/links/rv1-1.conf"}) {
    CHECK_THAT(file_of(files, path).content, ContainsSubstring("\ndetection = patient\n"));
  }
  for (const char* path : {"V1-1/links/rv2-2.conf", "V2-2/links/rv1-1.conf"}) {
    CHECK_THAT(file_of(files, path).content, ContainsSubstring("\ndetection = fast\n"));
  }
  const auto plain = render(plan_of(mesh(2)));
  CHECK(file_of(plain, "V1-1/links/rv2-1.conf").content.find("detection") == std::string::npos);
}

TEST_CASE("a link accepts the sources of the sites behind its peer") {
  const auto accepted = [](const Plan& plan, const std::string& path) {
    std::string prefixes;
    std::istringstream lines(file_of(render(plan), path).content);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("accept = ")) prefixes += line.substr(9) + " ";
    }
    return prefixes;
  };
  const std::string sites[] = {"10.0.1.0/24 2001:db8:a1::/64 ", "10.0.2.0/24 2001:db8:a2::/64 ",
                               "10.0.3.0/24 2001:db8:a3::/64 "};
  const auto full = plan_of(mesh(3, 1));
  CHECK(accepted(full, "V1-1/links/rv2-1.conf") == sites[1]);
  CHECK(accepted(full, "V2-1/links/rv1-1.conf") == sites[0]);
  // With route reflectors, traffic still uses the direct links.
  const auto reflected = plan_of(mesh(3, 1, "reflectors = \"V1-1\"\n"));
  CHECK(accepted(reflected, "V2-1/links/rv1-1.conf") == sites[0]);
  // A hub passes on traffic of the other sites; a spoke does not.
  const auto hub = plan_of(mesh(3, 1, "mesh = \"hub-and-spoke\"\nhubs = \"1\"\n"));
  CHECK(accepted(hub, "V2-1/links/rv1-1.conf") == sites[0] + sites[2]);
  CHECK(accepted(hub, "V1-1/links/rv2-1.conf") == sites[1]);
  // BIRD's IPv6 routes have a next hop for each link, so their prefixes stand beside `routed`.
  const auto routed = plan_of(mesh(3, 1, "accept = \"routed\"\n"));
  CHECK(accepted(routed, "V1-1/links/rv2-1.conf") == "routed 2001:db8:a2::/64 ");
  CHECK(accepted(plan_of(mesh(3, 1, "accept = \"any\"\n")), "V1-1/links/rv2-1.conf").empty());
  // A site without prefixes may use the addresses of the link only.
  const auto empty = plan_of(
      mesh(1, 1) +
      "[[site]]\nname = \"x\"\n[[site.gateway]]\nname = \"V9-1\"\naddress = \"2001:db8:9::1\"\n");
  CHECK_THAT(accepted(empty, "V1-1/links/rv9-1.conf"), ContainsSubstring("/30 "));
}

TEST_CASE("BIRD accepts the planned files of every kind of topology") {
  const auto* const more = GENERATE(
      "", "reflectors = \"auto\"\n", "mesh = \"hub-and-spoke\"\nhubs = [\"1\", \"2\"]\n",
      "mesh = \"explicit\"\nreflectors = [\"V1-1\"]\n", "reflectors = [\"V1-1\", \"V2-2\"]\n");
  const auto* const pools =
      GENERATE("interconnect4 = \"10.255.0.0/22\"\n", "interconnect6 = \"2001:db8:ff::/64\"\n",
               "interconnect4 = \"10.255.0.0/22\"\n"
               "interconnect6 = \"2001:db8:ff::/64\"\n");
  const auto* const cost = GENERATE("", "cost = 20\n");
  CAPTURE(more, pools, cost);
  const bool v6 = std::string(pools).find('6') != std::string::npos;
  std::string text = std::string("[organisation]\nas = 65000\n") + pools + more + defaults;
  for (const auto* const n : {"1", "2", "3"}) {
    text += std::string("[[site]]\nname = \"") + n + "\"\nprefixes = [\"10.0." + n + ".0/24\"" +
            (v6 && *n != '3' ? std::string(", \"2001:db8:a") + n + "::/64\"" : "") + "]\n" +
            (*n == '2' ? "announce = \"more-specific\"\n" : "") + "router = [{ name = \"R" + n +
            "\", lan = [\"a\", \"b\"] }]\n";
    for (const auto* const g : {"1", "2"}) {
      text += std::string("[[site.gateway]]\nname = \"V") + n + "-" + g +
              "\"\naddress = [\"2001:db8:" + n + "::" + g + "\", \"192.0." + n + "." + g + "\"]\n" +
              (*g == '2' ? "underlay = []\nlan = []\n"
                         : std::string("underlay = [\"wan0\", \"wan*\"]\nlan = [{ name = \"a\", ") +
                               "addresses = \"10.0." + n + ".129/25\" }, \"b\"]\n");
    }
  }
  text += std::string("[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\n") + cost +
          "[[link]]\nbetween = [\"V1-1\", \"V3-1\"]\n[[link]]\nbetween = [\"V1-2\", \"V2-2\"]\n";
  const cli::ScratchDirectory dir;
  for (const auto& file : render(plan_of(text))) {
    if (file.path.find("/bird/") == std::string::npos) continue;
    CAPTURE(file.path, file.content);
    CHECK(bird_on(dir.write("bird.conf", file.content)).empty());
  }
}

TEST_CASE("sessions have the costs, next hops and reflectors of the plan") {
  const std::string cost = "[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\ncost = 20\n";
  const auto session = [](const std::string& text, const std::string& gateway,
                          const std::string& peer) {
    const auto content = file_of(render(plan_of(text)), gateway + "/bird/private.conf").content;
    const auto at = content.find("protocol bgp IBGP_" + peer + " ");
    return at == std::string::npos ? "" : content.substr(at, content.find("\n}\n", at) - at);
  };
  CHECK_THAT(session(mesh(3), "V1-1", "V2_1"),
             StartsWith("protocol bgp IBGP_V2_1 from IBGP {") && !ContainsSubstring("cost"));
  CHECK_THAT(session(mesh(3) + cost, "V1-1", "V2_1"),
             ContainsSubstring("ipv4 { import where net ~ [ 10.0.2.0/24 ]; cost 20; };"));
  CHECK_THAT(session(mesh(3) + cost, "V2-2", "V3_1"), ContainsSubstring("; cost 100; };"));
  const auto hub = mesh(3, 1, "mesh = \"hub-and-spoke\"\nhubs = \"1\"\n");
  CHECK_THAT(session(hub, "V1-1", "V2_1"), ContainsSubstring(" from TO_SPOKE {"));
  CHECK_THAT(session(hub, "V2-1", "V1_1"), ContainsSubstring(" from TO_HUB {"));
  CHECK(session(hub, "V2-1", "V3_1").empty());
  const auto reflected = mesh(11) + cost;
  CHECK_THAT(session(reflected, "V1-1", "V9_1"), ContainsSubstring(" from TO_CLIENT {"));
  CHECK_THAT(session(reflected, "V9-1", "V1_1"), ContainsSubstring(" from TO_REFLECTOR {") &&
                                                     ContainsSubstring("extended next hop yes;"));
  CHECK(session(reflected, "V9-1", "V8_1").empty());
  const auto private_side = file_of(render(plan_of(reflected)), "V1-1/bird/private.conf").content;
  CHECK_THAT(private_side,
             ContainsSubstring("/128 via 2001:db8:ff::1 bfd yes { igp_metric = 20; };"));
}

TEST_CASE("a default route belongs to its site, and is not a private network") {
  auto text = mesh(3, 1);
  for (const auto* const site : {"\"10.0.2.0/24\"", "\"10.0.3.0/24\""}) {
    const auto at = text.find(site);
    REQUIRE(at != std::string::npos);
    text.insert(at, "\"0.0.0.0/0\", ");
  }
  const auto files = render(plan_of(text));
  const auto first = file_of(files, "V1-1/bird/private.conf").content;
  CHECK_THAT(first, ContainsSubstring("define OTHER4 = [ 0.0.0.0/0, 10.0.2.0/24, 10.0.3.0/24 ];"));
  const auto second = file_of(files, "V2-1/bird/private.conf").content;
  CHECK_THAT(second, ContainsSubstring("define OWN4 = [ 0.0.0.0/0, 10.0.2.0/24 ];"));
  CHECK_THAT(file_of(files, "V2-1/bird/public.conf").content, !ContainsSubstring("0.0.0.0/0"));
}

TEST_CASE("the diagram shows sites, gateways, and every link once") {
  const auto plan = plan_of(mesh(11, 1) + "[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\ncost = 9\n");
  const auto dot = render_dot(plan);
  CHECK_THAT(dot, ContainsSubstring("graph \"routevpn\" {") &&
                      ContainsSubstring("subgraph \"cluster_11\" {") &&
                      ContainsSubstring("label=\"site 1\\n10.0.1.0/24\\n2001:db8:a1::/64\";") &&
                      ContainsSubstring("\"V1-1\" -- \"V2-1\" [label=\"0\\ncost 9\"];") &&
                      ContainsSubstring("peripheries=2") && ContainsSubstring("color=gray"));
  std::size_t edges = 0;
  for (auto at = dot.find(" -- \"V"); at != std::string::npos; at = dot.find(" -- \"V", at + 1)) {
    ++edges;
  }
  CHECK(edges == 55 + 11);  // and one for each router
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
}
