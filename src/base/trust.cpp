#include "routevpn/base/trust.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <unistd.h>

#include "routevpn/base/text.hpp"

namespace routevpn {

namespace {

constexpr mode_t others_read_or_write = 077;
constexpr mode_t others_write = 022;

// The user that is trusted besides root: the running user, or under sudo(8) its caller. The caller
// chose the command line, so files of that user are as trusted as the command line; git(1) has the
// same rule (safe.directory). Only root can set the environment of a process of root, because the
// program is not set-user-ID: su(1) keeps it, but asks for root's password.
std::optional<uid_t> trusted_user() {
  if (::geteuid() != 0) return ::geteuid();
  const char* caller = std::getenv("SUDO_UID");
  return caller != nullptr ? to_number(caller) : std::nullopt;
}

std::string fault_of_owner(const struct stat& status, const std::string& path) {
  const auto user = trusted_user();
  if (status.st_uid == 0 || status.st_uid == user) return {};
  std::string text = path + ": owner is user " + std::to_string(status.st_uid) + "; must be root";
  if (user) text += " or user " + std::to_string(*user);
  return text += " (chown)";
}

std::string fault_of_mode(mode_t mode, const std::string& path, const char* allowed,
                          const char* command) {
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", static_cast<unsigned>(mode & 07777));
  std::string text = path + ": mode is " + octal.data();
  return text.append("; must be ").append(allowed).append(" (").append(command) += path + ")";
}

std::string fault_of_writers(const struct stat& status, const std::string& path) {
  if (auto fault = fault_of_owner(status, path); !fault.empty()) return fault;
  if ((status.st_mode & others_write) == 0) return {};
  return fault_of_mode(status.st_mode, path, "writable by its owner alone", "chmod go-w ");
}

}  // namespace

std::string fault_of_file(const struct stat& status, const std::string& path, Trust trust) {
  if (trust == Trust::any) return {};
  if (trust == Trust::unaltered) return fault_of_writers(status, path);
  if (auto fault = fault_of_owner(status, path); !fault.empty()) return fault;
  if ((status.st_mode & others_read_or_write) == 0) return {};
  return fault_of_mode(status.st_mode, path, "readable by its owner alone", "chmod 600 ");
}

std::string fault_of_directory(const struct stat& status, const std::string& path) {
  return fault_of_writers(status, path);
}

std::string fault_of_parent(const struct stat& status, const std::string& path) {
  if ((status.st_mode & S_ISVTX) == 0) return fault_of_writers(status, path);
  return fault_of_owner(status, path);
}

}  // namespace routevpn
