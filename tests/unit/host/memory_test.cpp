#include "routevpn/host/memory.hpp"

#include <fstream>
#include <string>

#include "catch.hpp"

using namespace routevpn::host;

namespace {

// Resident pages of files, KiB.
long resident_file_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "RssFile:") continue;
    long kib = 0;
    status >> kib;
    return kib;
  }
  return -1;
}

}  // namespace

TEST_CASE("released code is no longer resident, and runs again") {
  REQUIRE(resident_file_kib() > 0);
  const long before = resident_file_kib();
  release_code_pages();
  const long after = resident_file_kib();
  CHECK(after < before);
}
