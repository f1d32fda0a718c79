#include "routevpn/cage/account.hpp"

#include <optional>
#include <vector>

#include <pwd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::cage {

namespace {

constexpr std::size_t first_entry_bytes = 1024;  // of a passwd entry's texts; doubled on ERANGE

std::string fallback_notice() {
  return std::string("there is no user ") + default_user + ", so the worker runs as " +
         fallback_user +
         "; create it by systemd-sysusers, or by useradd --system --shell /usr/sbin/nologin " +
         default_user;
}

std::optional<Account> look_up(const std::string& name) {
  std::vector<char> texts(first_entry_bytes);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found)) == ERANGE) {
    texts.resize(2 * texts.size());
  }
  if (found != nullptr) return Account{name, entry.pw_uid, entry.pw_gid};
  // getpwnam_r(3): name services report a missing user by any of these, or by success.
  if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) {
    return std::nullopt;
  }
  throw system_error("looking up the user " + name, error);
}

}  // namespace

Account find_account(const std::string& name) {
  const bool is_default = name.empty();
  const std::string wanted = is_default ? default_user : name;
  const std::string option = "--user " + wanted + ": ";
  auto account = look_up(wanted);
  if (!account && is_default) account = look_up(fallback_user);
  if (!account) throw UsageError(option + "there is no such user; give an existing user");
  if (account->uid == 0 || account->gid == 0) {
    throw UsageError(option + "its user or group is root's; give an unprivileged user");
  }
  return *account;
}

void warn_of_fallback(const Account& account) {
  if (account.name == fallback_user) log_warning(fallback_notice());
}

}  // namespace routevpn::cage
