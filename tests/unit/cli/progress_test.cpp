#include "progress.hpp"

#include <sstream>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using namespace std::chrono_literals;

TEST_CASE("on a terminal a bar shows how far a command is, and is removed at the end") {
  std::ostringstream out;
  std::ostringstream err;
  const Console console{out, err, false, false, true};
  const Time begin{};
  {
    ProgressBar bar(console, "plan", "files", begin);
    bar.show(1, 200, begin + 900ms);
    CHECK(err.str().empty());
    bar.show(100, 200, begin + 1s);
    bar.show(200, 200, begin + 1100ms);
    CHECK(err.str() ==
          "\r\x1b[Kplan: [###############               ] 100 of 200 files"
          "\r\x1b[Kplan: [##############################] 200 of 200 files");
  }
  CHECK(err.str().ends_with("files\r\x1b[K"));
  CHECK(out.str().empty());
}

TEST_CASE("elsewhere a line every 5 seconds shows it") {
  std::ostringstream out;
  std::ostringstream err;
  const Console console{out, err};
  const Time begin{};
  {
    ProgressBar bar(console, "plan", "files", begin);
    for (unsigned second = 0; second <= 12; ++second)
      bar.show(10 * second, 120, begin + second * 1s);
  }
  CHECK(err.str() == "plan: 10 of 120 files\nplan: 60 of 120 files\nplan: 110 of 120 files\n");
}

TEST_CASE("a command that ends within a second shows nothing") {
  std::ostringstream out;
  std::ostringstream err;
  const Console console{out, err, false, false, true};
  { ProgressBar(console, "plan", "files", Time{}).show(0, 0, Time{} + 999ms); }
  CHECK(err.str().empty());
}
