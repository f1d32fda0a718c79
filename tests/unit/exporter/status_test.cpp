#include "routevpn/exporter/status.hpp"

#include "catch.hpp"
#include "sound_link.hpp"

using namespace routevpn;
using namespace routevpn::exporter;

TEST_CASE("the status has the links as show prints them, the sessions and the faults") {
  const Report report{
      {test::sound_link("rv1"), {"rv2", nullptr, "no_answer"}},
      {{"private", "/p.ctl", {{"V2_1", "Established", "10.255.0.2", {}, {{"ipv4", {3, 1}}}}}},
       {"public", "/q.ctl", {}, "inaccessible", "Permission denied"}}};
  const auto all = nlohmann::json::parse(status_text(report));
  REQUIRE(all["links"].size() == 1);
  CHECK(all["links"][0] == report.links[0].status);
  REQUIRE(all["birds"].size() == 2);
  CHECK(all["birds"][0]["bird"] == "private");
  const auto& session = all["birds"][0]["sessions"][0];
  CHECK(session["protocol"] == "V2_1");
  CHECK(session["state"] == "Established");
  CHECK(session["neighbor"] == "10.255.0.2");
  CHECK(session["link"] == "rv1");
  CHECK(session["routes"]["ipv4"]["imported"] == 3);
  REQUIRE(all["faults"].size() == 2);
  CHECK(all["faults"][0]["link"] == "rv2");
  CHECK(all["faults"][0]["reason"] == "no_answer");
  CHECK(all["faults"][1]["bird"] == "public");
  CHECK(all["faults"][1]["error"] == "Permission denied");
}

TEST_CASE("the status is ASCII, whatever a link and BIRD say") {
  auto link = test::sound_link("rv1");
  link.status["peer"]["name"] = "\xe2\x80\xae</script>";
  const auto text =
      status_text({{link}, {{"private", "/p.ctl", {{"\xff\xfe<b>", "\x1b", "\n", "%\x80", {}}}}}});
  for (const char c : text) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  CHECK(nlohmann::json::parse(text)["links"][0]["peer"]["name"] == "\xe2\x80\xae</script>");
}
