#include "topologies.hpp"

#include <fstream>
#include <iterator>

#include "catch.hpp"

namespace routevpn::plan {

std::string organisation(const std::string& more) {
  return "[organisation]\n"
         "as = 65000\n"
         "interconnect4 = \"10.240.0.0/12\"\n"
         "interconnect6 = \"2001:db8:ff::/64\"\n" +
         more;
}

std::string site(int number, int gateways, const std::string& more) {
  const auto n = std::to_string(number);
  std::string text = "[[site]]\nname = \"" + n + "\"\nprefixes = [\"10." +
                     std::to_string(number / 256) + "." + std::to_string(number % 256) +
                     ".0/24\", \"2001:db8:a" + n + "::/64\"]\n" + more;
  for (int i = 1; i <= gateways; ++i) {
    const auto g = std::to_string(i);
    text += "[[site.gateway]]\nname = \"V" + n + "-" + g + "\"\naddress = \"2001:db8:" + n +
            "::" + g + "\"\n";
  }
  return text + "[[site.router]]\nname = \"R" + n + "\"\n";
}

std::string mesh(int sites, int gateways, const std::string& more_of_organisation) {
  std::string text = organisation(more_of_organisation);
  for (int i = 1; i <= sites; ++i) text += site(i, gateways);
  return text;
}

namespace {

std::string lines_of(const Faults& faults) {
  std::string text;
  for (const auto& fault : faults) text += std::to_string(fault.line) + ": " + fault.text + "\n";
  return text;
}

}  // namespace

Topology topology_of(const std::string& text) {
  auto parsed = parse_topology(text);
  REQUIRE(lines_of(parsed.faults).empty());
  return std::move(parsed.topology);
}

Allocation allocation_of(const std::string& text, const Lock& before) {
  return allocate(topology_of(text), before);
}

Plan plan_of(const std::string& text, const Lock& before) {
  auto allocation = allocation_of(text, before);
  REQUIRE(lines_of(allocation.faults).empty());
  return std::move(allocation.plan);
}

std::string faults_of(const std::string& text, const Lock& before) {
  auto parsed = parse_topology(text);
  if (!parsed.faults.empty()) return lines_of(parsed.faults);
  return lines_of(allocate(std::move(parsed.topology), before).faults);
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  INFO(path);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string source(const std::string& path) {
  return read_text(std::string(ROUTEVPN_SOURCE_DIR) + "/" + path);
}

}  // namespace routevpn::plan
