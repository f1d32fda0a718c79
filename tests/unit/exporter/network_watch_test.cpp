#include "routevpn/exporter/network_watch.hpp"

#include <functional>

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "fake_exporter.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using nlohmann::json;
using test::FakeExporter;
using namespace std::chrono_literals;

namespace {

const auto sound =
    std::string("HTTP/1.0 200 OK\r\n\r\n") +
    R"({"links": [{"link": "rv2", "state": "up", "carrier": true}], "interfaces": []})";

// Asks the watch until the gateways are as wanted, and returns them.
json gateways_when(NetworkWatch& watch, const std::function<bool(const json&)>& wanted) {
  const auto end = read_clock() + 30s;
  for (;;) {
    auto gateways = json::parse(watch.states())["gateways"];
    if (wanted(gateways) || read_clock() > end) return gateways;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

TEST_CASE("the watch asks the exporters of all gateways, and goes on without a silent one") {
  const FakeExporter sound_exporter(sound);
  const FakeExporter refusing("HTTP/1.0 421 Misdirected Request\r\n\r\n");
  const auto silent = test::tcp_listener();
  auto ended = test::tcp_listener();
  ended.fd.reset();
  NetworkWatch watch({{{"a", "s", sound_exporter.address()},
                       {"b", "s", refusing.address()},
                       {"c", "s", silent.address},
                       {"d", "s", ended.address},
                       {"e", "s", std::nullopt}},
                      {}});
  CHECK(json::parse(watch.states())["gateways"].size() == 5);

  const auto all = gateways_when(watch, [](const json& g) { return g[2]["fault"] != "not_asked"; });
  CHECK(all[0]["fault"].is_null());
  CHECK(all[0]["links"][0]["link"] == "rv2");
  CHECK(all[1]["fault"] == "bad_answer");
  CHECK(all[1]["error"] == "HTTP/1.0 421 Misdirected Request");
  CHECK(all[2]["fault"] == "no_answer");
  CHECK(all[3]["fault"] == "not_running");
  CHECK(all[4]["fault"] == "not_asked");

  // The rounds without the silent gateway begin one period after each other.
  const int before = sound_exporter.questions();
  gateways_when(watch, [&](const json&) { return sound_exporter.questions() >= before + 3; });
  CHECK(sound_exporter.questions() >= before + 3);
}

TEST_CASE("nobody is asked before somebody wants to know") {
  const FakeExporter exporter(sound);
  { const NetworkWatch unused({{{"a", "s", exporter.address()}}, {}}); }
  CHECK(exporter.questions() == 0);
}
