#include "routevpn/base/trust.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "routevpn/base/text.hpp"

namespace routevpn {

namespace {

constexpr mode_t others_read_or_write = 077;
constexpr mode_t others_write = 022;

// sudo(8) sets SUDO_UID to the user that called it. That user chose the command line, so files of
// the same user are as trusted as the command line.
bool is_trusted_owner(uid_t owner) {
  if (owner == 0 || owner == ::geteuid()) return true;
  const char* caller = ::geteuid() == 0 ? std::getenv("SUDO_UID") : nullptr;
  return caller != nullptr && to_number(caller) == owner;
}

std::string fault_of_owner(const struct stat& status, const std::string& path) {
  if (is_trusted_owner(status.st_uid)) return {};
  std::string text = path + ": owner is user " + std::to_string(status.st_uid) + "; must be root";
  if (::geteuid() != 0) text += " or user " + std::to_string(::geteuid());
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
