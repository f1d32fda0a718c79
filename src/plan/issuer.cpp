#include "issuer.hpp"

#include <algorithm>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/certificate.hpp"

namespace routevpn::plan {

namespace {

std::vector<pki::Certificate> certificates_in(const std::string& path) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::vector<pki::Certificate> all;
  if (!exists(path)) return all;
  const auto text = read_file(path);
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    all.push_back(pki::parse_certificate(text.substr(at), path));
  }
  return all;
}

// Empty if the file does not exist or holds no certificate.
pki::Certificate certificate_in(const std::string& path) {
  try {
    return exists(path) ? pki::parse_certificate(read_file(path), path) : pki::Certificate();
  } catch (const UsageError&) {
    return {};
  }
}

}  // namespace

void require_same_issuer(const Plan& plan, const std::string& out, const std::string& pki) {
  const auto path = pki + "/ca.cert";
  const auto issuers = certificates_in(path);
  for (const auto& gateway : plan.topology.gateways) {
    std::string planned = out;
    planned.append("/").append(gateway.name).append("/pki/").append(gateway.name).append(".cert");
    // The plan replaces a damaged file, which says nothing about its CA.
    const auto certificate = certificate_in(planned);
    if (!certificate) continue;
    const bool same = std::ranges::any_of(
        issuers, [&](const auto& issuer) { return pki::issued(issuer.get(), certificate.get()); });
    if (same) continue;
    std::string fault = planned;
    fault.append(": was not issued by ").append(path);
    if (issuers.empty()) fault.append(", which does not exist");
    fault.append("; give the --pki of this plan, or replace all certificates with --new-ca");
    throw UsageError(fault);
  }
}

}  // namespace routevpn::plan
