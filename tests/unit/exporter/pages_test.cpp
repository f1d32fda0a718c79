#include "routevpn/exporter/pages.hpp"

#include <regex>
#include <set>
#include <thread>

#include "catch.hpp"
#include "fake_socket.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using options::ScratchDirectory;
using test::FakeSocket;

namespace {

// The paths that a file of the page loads.
std::set<std::string> loaded_by(const std::string& text) {
  std::set<std::string> paths;
  const std::regex reference(
      R"re((?:from '\.|<link rel="stylesheet" href="|<script type="module" src=")(/[a-z_.]*))re");
  for (std::sregex_iterator found(text.begin(), text.end(), reference), end; found != end;
       ++found) {
    paths.insert((*found)[1]);
  }
  return paths;
}

}  // namespace

TEST_CASE("the page loads files of the exporter alone, and each is there") {
  Pages pages(Sources{"/nonexistent"}, {});
  std::set<std::string> known;
  std::set<std::string> waiting = {"/"};
  while (!waiting.empty()) {
    const auto path = *waiting.begin();
    waiting.erase(waiting.begin());
    if (!known.insert(path).second) continue;
    CAPTURE(path);
    const auto answer = pages.answer({path});
    REQUIRE(answer.status == 200);
    CHECK_THAT(*answer.body, !ContainsSubstring("https:"));
    // Names from outside become text, never markup.
    for (const char* const unsafe :
         {"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"}) {
      CHECK_THAT(*answer.body, !ContainsSubstring(unsafe));
    }
    waiting.merge(loaded_by(*answer.body));
  }
  CHECK(known.size() == 13);
  CHECK(pages.answer({"/"}).content_type == "text/html; charset=utf-8");
  CHECK(pages.answer({"/page.js"}).content_type == "text/javascript; charset=utf-8");
  CHECK(pages.answer({"/page.js/"}).status == 404);
}

TEST_CASE("many requests at one time ask each link once") {
  const ScratchDirectory scratch;
  const FakeSocket link(scratch.path() + "/a.sock", R"({"link": "a", "carrier": true})");
  Pages pages(Sources{scratch.path()}, {});
  const auto begin = read_clock();
  int requests = 0;
  do {
    CHECK_THAT(*pages.answer({"/metrics"}).body, ContainsSubstring("routevpn_link_up{link=\"a\"}"));
    CHECK_THAT(*pages.answer({"/api/v1/status"}).body, ContainsSubstring("\"links\":["));
    ++requests;
  } while (read_clock() - begin < Pages::report_age / 2);
  // A machine that stops for longer than the age gives another question.
  CHECK(link.questions() <= 1 + (read_clock() - begin) / Pages::report_age);
  CHECK(requests >= 1);
}

TEST_CASE("an old report is forgotten, and a fresh one is kept") {
  const ScratchDirectory scratch;
  const FakeSocket link(scratch.path() + "/a.sock", R"({"link": "a", "carrier": true})");
  Pages pages(Sources{scratch.path()}, {});
  CHECK_FALSE(pages.timeout());
  pages.forget_if_old();
  const auto text = pages.answer({"/metrics"}).body;
  const auto left = pages.timeout();
  REQUIRE(left);
  CHECK(*left <= Pages::report_age);
  pages.forget_if_old();
  // Held until now by the report, too, unless the machine has stopped for longer than the age.
  CHECK((text.use_count() > 1 || pages.timeout() == std::nullopt));
  while (pages.timeout() > Duration::zero()) std::this_thread::sleep_for(*pages.timeout());
  pages.forget_if_old();
  CHECK_FALSE(pages.timeout());
  CHECK(text.use_count() == 1);
  CHECK_THAT(*pages.answer({"/metrics"}).body, ContainsSubstring("routevpn_link_up{link=\"a\"}"));
  CHECK(pages.timeout());
}

TEST_CASE("other exporters and the page get the links, the network and its states") {
  const ScratchDirectory scratch;
  const FakeSocket link(scratch.path() + "/a.sock", R"({"link": "a", "carrier": true})");
  Pages pages(Sources{scratch.path()}, {{{"V1", "paris", std::nullopt}}, {}});
  CHECK_THAT(*pages.answer({"/api/v1/links"}).body,
             ContainsSubstring(R"({"carrier":true,"link":"a"})"));
  CHECK_THAT(*pages.answer({"/api/v1/network"}).body, ContainsSubstring("paris"));
  HttpRequest states{"/api/v1/network/states"};
  CHECK(pages.answer(states).status == 403);
  states.is_deliberate = true;
  CHECK_THAT(*pages.answer(states).body, ContainsSubstring(R"("fault":"not_asked")"));
}

TEST_CASE("a directory that cannot be read is an error, not an empty list") {
  const ScratchDirectory scratch;
  Pages pages(Sources{scratch.write("file", "")}, {});
  CHECK_THROWS_WITH(pages.answer({"/metrics"}), ContainsSubstring("Not a directory"));
  CHECK(pages.answer({"/-/healthy"}).status == 200);
}
