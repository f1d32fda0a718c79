// What a site announces within its planned prefixes.
#include "routevpn/plan/render.hpp"

#include "catch.hpp"
#include "topologies.hpp"

using namespace routevpn;
using namespace routevpn::plan;

namespace {

// Site 1 has 10.1.0.0/16, 2001:db8:a1::/48 and a default route, and the lines `more`. Its gateway
// V1-1 has the LAN interfaces `lan`. Site 2 has 10.0.2.0/24.
std::string announcing(const std::string& more, const std::string& lan) {
  return organisation() +
         "[[site]]\nname = \"1\"\nprefixes = [\"10.1.0.0/16\", \"2001:db8:a1::/48\", "
         "\"0.0.0.0/0\"]\n" +
         more + "[[site.gateway]]\nname = \"V1-1\"\naddress = \"2001:db8:1::1\"\n" + lan +
         site(2, 1);
}

std::string private_bird(const std::string& topology, std::size_t gateway) {
  return render_private_bird(plan_of(topology), gateway);
}

const std::string two_interfaces =
    "lan = [{ name = \"eth1\", addresses = [\"10.1.5.11/24\", \"2001:db8:a1:5::11/64\"] },\n"
    "       { name = \"eth2\", addresses = \"10.1.6.11/24\" }]\n";

}  // namespace

TEST_CASE("an aggregate depends on the LAN interfaces with smaller networks of the prefix") {
  const auto* const more = GENERATE("", "announce = \"aggregate\"\n");
  const auto text = private_bird(announcing(more, two_interfaces), 0);
  CHECK_THAT(text, ContainsSubstring("\nprotocol static AGGREGATE_4 {\n"
                                     "  include \"/usr/share/routevpn/bird/aggregate4.conf\";\n"
                                     "  route 10.1.0.0/16 via \"eth1\" via \"eth2\";\n}\n"));
  CHECK_THAT(text, ContainsSubstring("\nprotocol static AGGREGATE_6 {\n"
                                     "  include \"/usr/share/routevpn/bird/aggregate6.conf\";\n"
                                     "  route 2001:db8:a1::/48 via \"eth1\";\n}\n"));
  CHECK_THAT(text, ContainsSubstring("define OWN4 = [ 10.1.0.0/16, 0.0.0.0/0 ];"));
  // The planned network itself is no smaller network: its own route is announced.
  const std::string whole = "lan = { name = \"eth1\", addresses = \"10.1.5.11/16\" }\n";
  CHECK_THAT(private_bird(announcing("", whole), 0), !ContainsSubstring("AGGREGATE"));
  CHECK_THAT(private_bird(announcing("", ""), 0), !ContainsSubstring("AGGREGATE"));
}

TEST_CASE("an exact site announces no aggregate, and its key replaces the organisation's") {
  auto text = announcing("announce = \"exact\"\n", two_interfaces);
  CHECK_THAT(private_bird(text, 0), !ContainsSubstring("AGGREGATE"));
  text.insert(std::string("[organisation]\n").size(), "announce = \"more-specific\"\n");
  CHECK_THAT(private_bird(text, 0),
             ContainsSubstring("define OWN4 = [ 10.1.0.0/16, 0.0.0.0/0 ];") &&
                 ContainsSubstring("define OTHER4 = [ 10.0.2.0/24+ ];"));
}

TEST_CASE("more specific routes of a planned prefix are announced and accepted") {
  const auto text = announcing("announce = \"more-specific\"\n", two_interfaces);
  const auto own = private_bird(text, 0);
  // Every IPv4 route is more specific than the default route, which stays alone.
  CHECK_THAT(own, ContainsSubstring("define OWN4 = [ 10.1.0.0/16+, 0.0.0.0/0 ];") &&
                      ContainsSubstring("define OWN6 = [ 2001:db8:a1::/48+ ];") &&
                      ContainsSubstring("define OTHER4 = [ 10.0.2.0/24 ];") &&
                      !ContainsSubstring("AGGREGATE"));
  CHECK_THAT(private_bird(text, 1),
             ContainsSubstring("import where net ~ [ 10.1.0.0/16+, 0.0.0.0/0 ];") &&
                 ContainsSubstring("define OTHER6 = [ 2001:db8:a1::/48+ ];"));
}

TEST_CASE("an aggregate without a planned interface is a fault where the file asks for it") {
  const std::string key = "announce = \"aggregate\"\n";
  const std::string fault = "announce \"aggregate\": no gateway of site 1 has an address of ";
  const std::string advice = " in lan; add it, or set announce = \"more-specific\"\n";
  CHECK(faults_of(announcing(key, "")) ==
        "8: " + fault + "10.1.0.0/16" + advice + "8: " + fault + "2001:db8:a1::/48" + advice);
  CHECK(faults_of(announcing(key, "lan = { name = \"a\", addresses = \"10.1.5.1/24\" }\n")) ==
        "8: " + fault + "2001:db8:a1::/48" + advice);
  CHECK(faults_of(announcing(key, two_interfaces)).empty());
  CHECK(faults_of(announcing("", "")).empty());
  CHECK(faults_of(announcing("announce = \"all\"\n", "")) ==
        "8: announce \"all\": must be exact, aggregate or more-specific\n");
}
