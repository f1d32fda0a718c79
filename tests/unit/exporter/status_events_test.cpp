#include "routevpn/exporter/status_events.hpp"

#include "routevpn/exporter/status.hpp"

#include "catch.hpp"
#include "sound_link.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using namespace std::chrono_literals;

namespace {

Report two_links() {
  return {{test::sound_link("rv1"), test::sound_link("rv2")},
          {{"private", "/p.ctl", {{"V2_1", "Established", "10.255.0.2", {}, {}}}}}};
}

// The data of an event with this name.
nlohmann::json data_of(const std::string& event, const std::string& name) {
  const auto head = "event: " + name + "\ndata: ";
  REQUIRE(event.starts_with(head));
  REQUIRE(event.ends_with("\n\n"));
  CHECK(std::ranges::count(event, '\n') == 3);
  return nlohmann::json::parse(event.substr(head.size()));
}

}  // namespace

TEST_CASE("a stream begins with the whole status") {
  const auto status = status_text(two_links());
  const auto first = StatusEvents::first(status);
  REQUIRE(first.starts_with("retry: 1000\n"));
  CHECK(data_of(first.substr(12), "status") == nlohmann::json::parse(status));
}

TEST_CASE("the whole status is sent once a second, and a change of state at once") {
  StatusEvents events;
  auto report = two_links();
  const Time begin{};
  CHECK(data_of(events.next(report, begin), "status")["links"].size() == 2);
  report.links[0].status["rx"]["packets"] = 1'000'000;  // no change of state
  CHECK(events.next(report, begin + 250ms).empty());
  report.links[1].status["carrier"] = false;
  const auto change = data_of(events.next(report, begin + 500ms), "change");
  REQUIRE(change["links"].size() == 1);
  CHECK(change["links"][0] == report.links[1].status);
  CHECK(change["birds"].size() == 1);
  CHECK(events.next(report, begin + 750ms).empty());
  CHECK(data_of(events.next(report, begin + 1000ms), "status")["links"].size() == 2);
  CHECK(events.next(report, begin + 1250ms).empty());
}

TEST_CASE("a link that gives no answer, and a session that ends, are changes") {
  StatusEvents events;
  auto report = two_links();
  const Time begin{};
  events.next(report, begin);
  report.links[0] = {"rv1", nullptr, "no_answer"};
  const auto silent = data_of(events.next(report, begin + 1ms), "change");
  CHECK(silent["links"].empty());
  CHECK(silent["faults"][0]["link"] == "rv1");
  report.birds[0].sessions[0].state = "Active";
  const auto ended = data_of(events.next(report, begin + 2ms), "change");
  CHECK(ended["links"].empty());
  CHECK(ended["birds"][0]["sessions"][0]["state"] == "Active");
}

TEST_CASE("a link more or less gives the whole status at once") {
  StatusEvents events;
  auto report = two_links();
  const Time begin{};
  events.next(report, begin);
  report.links.pop_back();
  CHECK(data_of(events.next(report, begin + 1ms), "status")["links"].size() == 1);
  report.links.push_back(test::sound_link("rv3"));
  CHECK(data_of(events.next(report, begin + 2ms), "status")["links"].size() == 2);
}
