// Generates topologies for the tests.
#pragma once

#include <string>

#include "routevpn/plan/allocate.hpp"
#include "routevpn/plan/lock.hpp"
#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// [organisation] with pools that are large enough for every test, and the lines `more`.
std::string organisation(const std::string& more = "");
// Site N with gateways VN-1, VN-2 ... and the prefixes 10.B.N.0/24 and 2001:db8:aN::/64.
std::string site(int number, int gateways = 2, const std::string& more = "");
std::string mesh(int sites, int gateways = 2, const std::string& more_of_organisation = "");

// The topology and the plan of a text that must have no faults.
Topology topology_of(const std::string& text);
Plan plan_of(const std::string& text, const Lock& before = {});
// The faults of the file and of its allocation, one "LINE: TEXT" per line.
std::string faults_of(const std::string& text, const Lock& before = {});

std::string read_text(const std::string& path);
std::string source(const std::string& path);  // below the source directory

}  // namespace routevpn::plan
