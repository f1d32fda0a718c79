#include "issue_time.hpp"

#include "routevpn/base/error.hpp"
#include "routevpn/pki/certificate.hpp"

namespace routevpn::apply {

std::optional<pki::TimePoint> issue_time(const std::string& path, const std::string& content) {
  try {
    if (path.ends_with(".cert")) {
      return pki::not_before(pki::parse_certificate(content, path).get());
    }
    if (path.ends_with(".crl")) {
      return pki::last_update(pki::parse_revocation_list(content, path).get());
    }
  } catch (const UsageError&) {
  }
  return std::nullopt;
}

}  // namespace routevpn::apply
