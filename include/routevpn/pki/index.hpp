// ca.index: a line for each certificate that the CA issued. With it certificates can be listed and
// revoked after their files have left this machine.
//
//   # serial name not-after status [revoked-at]
//   5B3C...91 V1-1 2026-11-21T20:39:00Z issued
//   1F00...A7 V1-2 2026-11-21T20:41:13Z revoked 2026-01-03T08:00:00Z
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/pki/time.hpp"

namespace routevpn::pki {

enum class Status : std::uint8_t { valid, expired, revoked };
std::string_view name_of(Status status);

struct IssuedCertificate {
  std::string serial;  // upper-case hex, as `openssl x509 -serial` prints it
  std::string name;
  TimePoint not_after;
  std::optional<TimePoint> revoked_at;

  [[nodiscard]] Status status(TimePoint at) const;
  bool operator==(const IssuedCertificate&) const = default;
};

using Index = std::vector<IssuedCertificate>;  // oldest first

// Throws UsageError "PATH:LINE: ..." for a malformed line.
Index parse_index(std::string_view text, const std::string& path);
std::string format_index(const Index& index);

// Checks the name of a certificate and its files. Throws UsageError, which names what is allowed.
void require_name(std::string_view name);
// Converts hex digits, colons allowed, to the form of the index. Throws UsageError.
std::string parse_serial(std::string_view text);

}  // namespace routevpn::pki
