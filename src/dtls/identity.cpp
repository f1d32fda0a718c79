#include "routevpn/dtls/identity.hpp"

#include "routevpn/dtls/credentials.hpp"

#include "certificate.hpp"
#include "context.hpp"

namespace routevpn::dtls {

std::shared_ptr<const Identity> Identity::load(const IdentityFiles& files,
                                               const IdentityPolicy& policy) {
  return make(load_credentials(files, {policy.crl_grace}), policy);
}

std::shared_ptr<const Identity> Identity::make(const Credentials& credentials,
                                               const IdentityPolicy& policy) {
  const std::shared_ptr<Identity> identity(new Identity);
  identity->psks_ = credentials.psks;
  const bool with_psk = !credentials.psks.empty();
  identity->initiator_ = make_context(Role::initiator, credentials, policy, with_psk);
  identity->acceptor_ = make_context(Role::acceptor, credentials, policy, with_psk);
  identity->certificate_ = describe(credentials.certificate.get());
  for (const auto& one : credentials.authorities) {
    identity->authorities_.push_back(describe(one.get()));
  }
  identity->crl_grace_ = policy.crl_grace;
  for (const auto& crl : credentials.revocations) identity->add_dates(crl.get());
  return identity;
}

void Identity::add_dates(const X509_CRL* crl) {
  if (X509_CRL_get0_nextUpdate(crl) == nullptr) return;  // it never ends
  const RevocationDates dates{time_point_of(X509_CRL_get0_lastUpdate(crl)),
                              time_point_of(X509_CRL_get0_nextUpdate(crl))};
  if (!revocation_dates_ || dates.next_update < revocation_dates_->next_update) {
    revocation_dates_ = dates;
  }
}

}  // namespace routevpn::dtls
