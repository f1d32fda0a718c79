#include "routevpn/cage/account.hpp"

#include <pwd.h>

#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::cage;

TEST_CASE("a given user is found with its group") {
  const passwd* const nobody = getpwnam("nobody");
  REQUIRE(nobody != nullptr);
  const uid_t uid = nobody->pw_uid;
  const gid_t gid = nobody->pw_gid;
  const Account account = find_account("nobody");
  CHECK(account.name == "nobody");
  CHECK(account.uid == uid);
  CHECK(account.gid == gid);
}

TEST_CASE("the default user is routevpn, or nobody where it does not exist") {
  const bool exists = getpwnam(default_user) != nullptr;
  CHECK(find_account("").name == (exists ? "routevpn" : "nobody"));
}

TEST_CASE("the default user must exist if it is given") {
  if (getpwnam(default_user) != nullptr) {
    CHECK(find_account("routevpn").name == "routevpn");
  } else {
    CHECK_THROWS_WITH(find_account("routevpn"),
                      "--user routevpn: there is no such user; give an existing user");
  }
}

TEST_CASE("a missing user and root are usage errors that name the option") {
  CHECK_THROWS_AS(find_account("no-such-user"), UsageError);
  CHECK_THROWS_WITH(find_account("no-such-user"),
                    "--user no-such-user: there is no such user; give an existing user");
  CHECK_THROWS_AS(find_account("root"), UsageError);
  CHECK_THROWS_WITH(find_account("root"),
                    "--user root: its user or group is root's; give an unprivileged user");
}
