// Sysctls under /proc/sys/net, of the calling thread's namespace.
#pragma once

#include <optional>
#include <string>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

// `path` is relative to /proc/sys/net; an interface name in it keeps its dots.
std::optional<std::string> read_sysctl(const std::string& path);  // none: it does not exist
Fd open_sysctl(const std::string& path);                          // for writing; throws SystemError
void write_sysctl(const std::string& path, const std::string& value);  // throws SystemError

}  // namespace routevpn::host
