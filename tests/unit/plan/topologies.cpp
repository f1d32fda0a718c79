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
  Faults faults;
  auto topology = parse_topology(text, faults);
  REQUIRE(lines_of(faults).empty());
  return topology;
}

Plan plan_of(const std::string& text, const Lock& before) {
  Faults faults;
  auto plan = allocate(topology_of(text), before, faults);
  REQUIRE(lines_of(faults).empty());
  return plan;
}

std::string faults_of(const std::string& text, const Lock& before) {
  Faults faults;
  auto topology = parse_topology(text, faults);
  if (faults.empty()) (void)allocate(std::move(topology), before, faults);
  return lines_of(faults);
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
