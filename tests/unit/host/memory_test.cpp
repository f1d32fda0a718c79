#include "routevpn/host/memory.hpp"

#include <fstream>
#include <string>

#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"

using namespace routevpn::host;

namespace {

// A field of /proc/self/status in KiB; -1: there is none.
long status_kib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != field + ":") continue;
    long kib = 0;
    status >> kib;
    return kib;
  }
  return -1;
}

long resident_file_kib() {
  return status_kib("RssFile");
}

// What protect_keys() is for, as the number of the first promise that does not hold; 0: all hold.
int broken_promise() {
  const bool locked = protect_keys();
  rlimit cores{};
  if (getrlimit(RLIMIT_CORE, &cores) != 0 || cores.rlim_cur != 0) return 1;
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 2;
  void* const key = OPENSSL_secure_malloc(32);
  if (CRYPTO_secure_allocated(key) != 1) return 3;
  if (locked != (status_kib("VmLck") > 0)) return 4;
  OPENSSL_secure_clear_free(key, 32);
  return protect_keys() == locked ? 0 : 5;
}

}  // namespace

TEST_CASE("released code is no longer resident, and runs again") {
  REQUIRE(resident_file_kib() > 0);
  const long before = resident_file_kib();
  release_code_pages();
  const long after = resident_file_kib();
  CHECK(after < before);
}

TEST_CASE("keys are in locked memory, and the process is neither dumped nor traced") {
  const pid_t child = fork();  // the test program itself stays as it is
  if (child == 0) _exit(broken_promise());
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
