#include "credentials_json.hpp"

#include "routevpn/base/text.hpp"

namespace routevpn::link {

namespace {

Json crl_json(const std::vector<Ending>& endings) {
  for (const auto& ending : endings) {
    if (ending.kind != Ending::Kind::revocation_list) continue;
    return {{"last_update", rfc3339(ending.begin)},
            {"next_update", rfc3339(ending.end)},
            {"in_force_until", rfc3339(ending.in_force_until)}};
  }
  return nullptr;
}

}  // namespace

Json certificate_json(const dtls::CertificateInfo& certificate) {
  return {{"name", certificate.name},
          {"subject", certificate.subject},
          {"not_before", rfc3339(certificate.not_before)},
          {"not_after", rfc3339(certificate.not_after)},
          {"fingerprint", certificate.fingerprint}};
}

Json credentials_json(const LinkFacts& facts) {
  const auto now = std::chrono::system_clock::now();
  Json json = {{"certificate", certificate_json(facts.identity.certificate())},
               {"authorities", Json::array()},
               {"crl", crl_json(facts.endings)},
               {"warnings", Json::array()}};
  for (const auto& one : facts.identity.authorities()) {
    json["authorities"].push_back(certificate_json(one));
  }
  for (const auto& ending : facts.endings) {
    if (ends_soon(ending, now)) json["warnings"].push_back(warning_of(ending, now));
  }
  return json;
}

}  // namespace routevpn::link
