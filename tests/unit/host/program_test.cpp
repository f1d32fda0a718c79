#include "routevpn/host/program.hpp"

#include <cstdlib>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace std::chrono_literals;
using host::run_program;

TEST_CASE("a program's output and exit status, without a shell between") {
  const auto ended =
      run_program({"sh", "-c", "printf %s \"$1\"; echo no >&2; exit 3", "x", "$(a) b"}, 30s);
  REQUIRE(ended);
  CHECK(ended->status == 3);
  CHECK(ended->out == "$(a) b");
  CHECK(ended->err == "no\n");
  CHECK(run_program({"sh", "-c", "kill -9 $$"}, 30s)->status == 137);
  CHECK(run_program({"cat"}, 30s)->out.empty());
  CHECK(run_program({"sh", "-c", "echo $LC_ALL"}, 30s)->out == "C\n");
}

TEST_CASE("a program that does not exist is no error") {
  CHECK_FALSE(run_program({"routevpn-no-such-program"}, 30s));
}

TEST_CASE("much output on both streams neither blocks nor is kept whole") {
  const auto ended =
      run_program({"sh", "-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"}, 30s);
  REQUIRE(ended);
  CHECK(ended->status == 0);
  CHECK(ended->out.size() == 1024UL * 1024);
  CHECK(ended->err.size() == 1024UL * 1024);
}

TEST_CASE("a program that does not end is killed after its time") {
  const auto begin = read_clock();
  CHECK_THROWS_WITH(run_program({"sleep", "60"}, 1s), "sleep: has not ended after 1 s");
  CHECK(read_clock() - begin < 20s);
}
