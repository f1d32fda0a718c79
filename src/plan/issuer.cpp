#include "issuer.hpp"

#include <algorithm>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/certificate.hpp"
#include "routevpn/plan/output.hpp"

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

UsageError refusal(std::string fault) {
  return UsageError(
      fault.append("; give the --pki of this plan, or replace all certificates with --new-ca"));
}

}  // namespace

void require_same_issuer(const Plan& plan, const FormerPlan& former, const std::string& pki) {
  const auto path = pki + "/ca.cert";
  const auto issuers = certificates_in(path);
  const std::string missing = issuers.empty() ? ", which does not exist" : "";
  for (const auto& gateway : plan.topology.gateways) {
    std::string planned = former.out;
    planned.append("/").append(gateway.name).append("/pki/").append(gateway.name).append(".cert");
    // A damaged file says nothing about its CA.
    const auto certificate = certificate_in(planned);
    if (!certificate) continue;
    const bool same = std::ranges::any_of(
        issuers, [&](const auto& issuer) { return pki::issued(issuer.get(), certificate.get()); });
    if (same) continue;
    throw refusal(planned.append(": was not issued by ").append(path).append(missing));
  }
  const bool is_known = std::ranges::any_of(issuers, [&](const auto& issuer) {
    return pki::key_digest(issuer.get()) == former.authority;
  });
  if (!former.authority.empty() && !is_known) {
    throw refusal(former.lock + ": the CA of this plan is not in " + path + missing);
  }
  const auto listed = std::ranges::find_if(
      former.written, [](const auto& file) { return file.ends_with("/pki/ca.cert"); });
  if (issuers.empty() && listed != former.written.end()) {
    throw refusal(former.out + "/" + manifest_name + ": lists " + *listed + " of a CA, but " +
                  path + " does not exist");
  }
}

}  // namespace routevpn::plan
