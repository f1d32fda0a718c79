#include "routevpn/exporter/link_states.hpp"

#include "catch.hpp"
#include "sound_link.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using nlohmann::json;

namespace {

ReportedStates heard_text(const std::string& text) {
  return read_link_states({text, Refusal::none, {}});
}

ReportedStates heard(const std::string& body, const std::string& status = "200 OK") {
  return heard_text("HTTP/1.0 " + status + "\r\nServer: x\r\n\r\n" + body);
}

}  // namespace

TEST_CASE("the states of links have what a map needs, and nothing else") {
  const auto all =
      json::parse(link_states_text({{test::sound_link("rv1"), {"rv2", nullptr, "no_answer"}}, {}},
                                   {{"lan", true}, {"rv1", true}, {"wan", false}}));
  CHECK(all["interfaces"] == json::parse(R"([{"name": "lan", "running": true},
                                             {"name": "wan", "running": false}])"));
  CHECK(all["links"] == json::parse(R"([
    {"link": "rv1", "state": "up", "carrier": true, "rtt_us": {"smoothed": 1500}, "loss": 0.05,
     "rx": {"bytes": 12345678901}, "tx": {"bytes": 2000}},
    {"link": "rv2", "fault": "no_answer"}])"));
}

TEST_CASE("an exporter reads what another one tells") {
  const auto text = link_states_text({{test::sound_link("rv1")}, {}}, {{"lan", true}});
  const auto states = heard(text);
  CHECK(states.fault.empty());
  CHECK(json::parse(states.links) == json::parse(text)["links"]);
  CHECK(states.interfaces == R"([{"name":"lan","running":true}])");
}

TEST_CASE("of an answer from another gateway only known fields of their types are taken") {
  const auto states = heard(R"({"links": [
    7, {"link": {"a": 1}, "state": 3, "carrier": "yes", "loss": "much", "rx": 5, "tx": {"bytes": []}},
    {"link": "rv1", "foreign": "x", "rtt_us": {"smoothed": 5, "more": 6}, "reason_text": ")" +
                            std::string(100'000, 'x') +
                            "\"}], \"interfaces\": [3, {\"name\": 5, \"running\": 1}]}");
  CHECK(states.interfaces == "[{},{}]");
  CHECK(states.fault.empty());
  CHECK(json::parse(states.links) == json({json::object(),
                                           json::object(),
                                           {{"link", "rv1"},
                                            {"rtt_us", {{"smoothed", 5}}},
                                            {"reason_text", std::string(200, 'x')}}}));
}

TEST_CASE("what is no answer of an exporter has a fault") {
  CHECK(heard("{}").fault == "bad_answer");
  CHECK(heard("[]").fault == "bad_answer");
  CHECK(heard("{\"links\": []}").fault == "bad_answer");
  CHECK(heard("{\"links\": 3}").fault == "bad_answer");
  CHECK(heard("{\"links\": [").fault == "bad_answer");
  CHECK(heard(std::string(100'000, '[')).fault == "bad_answer");
  CHECK(heard_text("SSH-2.0-OpenSSH\r\n").error == "SSH-2.0-OpenSSH");
  CHECK(heard_text("").fault == "bad_answer");
  CHECK(heard_text("HTTP/1.0\r\n\r\n").fault == "bad_answer");
  const auto busy = heard("{\"links\": [], \"interfaces\": []}", "503 Service Unavailable");
  CHECK(busy.fault == "bad_answer");
  CHECK(busy.error == "HTTP/1.0 503 Service Unavailable");
  const auto unreachable = read_link_states({{}, Refusal::inaccessible, "No route to host"});
  CHECK(unreachable.fault == "inaccessible");
  CHECK(unreachable.error == "No route to host");
  CHECK(unreachable.links == "[]");
}

TEST_CASE("the states are ASCII, whatever the other gateway says") {
  for (const char c :
       heard("{\"links\": [{\"link\": \"\xe2\x80\xae<b>\"}], \"interfaces\": []}").links) {
    CHECK((c >= ' ' && c <= '~'));
  }
}
