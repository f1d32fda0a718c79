// The user and group of the worker.
#pragma once

#include <string>

#include <sys/types.h>

namespace routevpn::cage {

inline constexpr const char* default_user = "routevpn";
inline constexpr const char* fallback_user = "nobody";

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// `name`: the value of --user; empty: default_user. If default_user does not exist, the account is
// fallback_user. Throws UsageError if a given user, also default_user, does not exist, or if its
// user or group is root's. Throws SystemError if the user database cannot be read.
Account find_account(const std::string& name);
// Without the default user: the log has a warning.
void warn_of_fallback(const Account& account);

}  // namespace routevpn::cage
