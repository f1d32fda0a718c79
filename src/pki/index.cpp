#include "routevpn/pki/index.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "routevpn/base/error.hpp"

namespace routevpn::pki {

namespace {

constexpr std::size_t longest_name = 64;          // ub-common-name, RFC 5280 appendix A.1
constexpr std::size_t longest_serial = 2UL * 20;  // 20 octets, RFC 5280 section 4.1.2.2

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::optional<IssuedCertificate> parse_line(const std::string& line) {
  std::istringstream words(line);
  IssuedCertificate entry;
  std::string not_after;
  std::string status;
  std::string revoked_at;
  std::string surplus;
  words >> entry.serial >> entry.name >> not_after >> status >> revoked_at >> surplus;
  const auto until = parse_time(not_after);
  if (!until || !surplus.empty()) return std::nullopt;
  entry.not_after = *until;
  try {
    if (parse_serial(entry.serial) != entry.serial) return std::nullopt;
    require_name(entry.name);
  } catch (const UsageError&) {
    return std::nullopt;
  }
  if (status == "issued" && revoked_at.empty()) return entry;
  entry.revoked_at = parse_time(revoked_at);
  if (status != "revoked" || !entry.revoked_at) return std::nullopt;
  return entry;
}

}  // namespace

std::string_view name_of(Status status) {
  static constexpr std::array<std::string_view, 3> names = {"valid", "expired", "revoked"};
  return names[static_cast<std::size_t>(status)];
}

Status IssuedCertificate::status(TimePoint at) const {
  if (revoked_at) return Status::revoked;
  return at > not_after ? Status::expired : Status::valid;
}

Index parse_index(std::string_view text, const std::string& path) {
  Index index;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (unsigned number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    auto entry = parse_line(line);
    if (!entry) {
      throw UsageError(path + ":" + std::to_string(number) +
                       ": expected 'SERIAL NAME NOT-AFTER issued' or "
                       "'SERIAL NAME NOT-AFTER revoked TIME'");
    }
    index.push_back(std::move(*entry));
  }
  return index;
}

std::string format_index(const Index& index) {
  std::string text = "# serial name not-after status [revoked-at]\n";
  for (const auto& entry : index) {
    text += entry.serial + " " + entry.name + " " + to_text(entry.not_after);
    text += entry.revoked_at ? " revoked " + to_text(*entry.revoked_at) : " issued";
    text += "\n";
  }
  return text;
}

void require_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= longest_name && is_alphanumeric(name.front()) &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
                    });
  if (!good) {
    throw UsageError(
        "must be 1 to 64 letters, digits, '.', '-' or '_', and begin with a letter or digit");
  }
  if (name == "ca") throw UsageError("is taken: ca.key and ca.cert are the CA's own files");
}

std::string parse_serial(std::string_view text) {
  std::string serial;
  for (const char c : text) {
    if (c == ':') continue;
    const bool lower = c >= 'a' && c <= 'f';
    const bool digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
    if (!lower && !digit)
      throw UsageError("must be hex digits, as `routevpn pki list` prints them");
    serial += lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (serial.empty() || serial.size() > longest_serial) {
    throw UsageError("must be 1 to 40 hex digits, as `routevpn pki list` prints them");
  }
  return serial;
}

}  // namespace routevpn::pki
