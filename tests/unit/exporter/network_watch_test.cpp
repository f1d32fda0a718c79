#include "routevpn/exporter/network_watch.hpp"

#include <filesystem>
#include <functional>
#include <thread>

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
    auto gateways = json::parse(*watch.states())["gateways"];
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
  const Network network{{{"a", "s", sound_exporter.address()},
                         {"b", "s", refusing.address()},
                         {"c", "s", silent.address},
                         {"d", "s", ended.address},
                         {"e", "s", std::nullopt}},
                        {}};
  NetworkWatch watch(network);
  const auto first = json::parse(*watch.states());
  CHECK(first["version"] == version_of(network));
  CHECK(first["gateways"].size() == 5);
  CHECK(first["gateways"][0]["fault"] == "not_asked");
  CHECK(first["gateways"][0]["at_ms"].is_null());

  const auto all = gateways_when(watch, [](const json& g) { return g[2]["fault"] != "not_asked"; });
  CHECK(all[0]["fault"].is_null());
  CHECK(all[0]["links"][0]["link"] == "rv2");
  CHECK(all[0]["at_ms"].is_number());
  CHECK(all[1]["fault"] == "bad_answer");
  CHECK(all[1]["error"] == "HTTP/1.0 421 Misdirected Request");
  CHECK(all[2]["fault"] == "no_answer");
  CHECK(all[3]["fault"] == "not_running");
  CHECK(all[4]["fault"] == "not_asked");

  // In rounds_of_silent rounds, one waits for the silent gateway.
  const int before = sound_exporter.questions();
  const auto begin = read_clock();
  gateways_when(watch, [&](const json&) { return sound_exporter.questions() >= before + 4; });
  CHECK(read_clock() - begin < 4 * NetworkWatch::limits.time);
}

TEST_CASE("the states of a gateway stay when it misses one question") {
  auto listener = test::tcp_listener();
  NetworkWatch watch({{{"a", "s", listener.address}}, {}});
  (void)watch.states();
  const auto answer_one = [&] {
    const Fd client(::accept(listener.fd.get(), nullptr, nullptr));
    (void)::send(client.get(), sound.data(), sound.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
    char c = 0;
    while (::read(client.get(), &c, 1) > 0) continue;
  };
  answer_one();
  CHECK(gateways_when(watch, [](const json& g) { return g[0]["fault"].is_null(); })[0]["fault"]
            .is_null());
  const Fd missed(::accept(listener.fd.get(), nullptr, nullptr));
  // The next question comes after the first was missed, and leaves by the next source.
  const Fd second(::accept(listener.fd.get(), nullptr, nullptr));
  CHECK(json::parse(*watch.states())["gateways"][0]["fault"].is_null());
  const auto silent = gateways_when(watch, [](const json& g) { return !g[0]["fault"].is_null(); });
  CHECK(silent[0]["fault"] == "no_answer");
}

TEST_CASE("no gateway is asked before the first request for the states") {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const FakeExporter exporter(sound);
  const auto before = threads();
  NetworkWatch watch({{{"a", "s", exporter.address()}}, {}});
  CHECK(threads() == before);  // none that could ask
  (void)watch.states();
  CHECK(threads() == before + 1);
}

TEST_CASE("the watch ends at once while a gateway is silent") {
  const auto silent = test::tcp_listener();
  const auto begin = [&] {
    NetworkWatch watch({{{"a", "s", silent.address}}, {}});
    (void)watch.states();
    const Fd client(::accept(silent.fd.get(), nullptr, nullptr));  // it is being asked
    return read_clock();
  }();
  CHECK(read_clock() - begin < NetworkWatch::limits.time / 2);
}
