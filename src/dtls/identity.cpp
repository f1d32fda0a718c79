#include "routevpn/dtls/identity.hpp"

#include "context.hpp"
#include "credentials.hpp"

namespace routevpn::dtls {

std::shared_ptr<const Identity> Identity::load(const IdentityFiles& files,
                                               const IdentityPolicy& policy) {
  const Credentials credentials = load_credentials(files);
  const std::shared_ptr<Identity> identity(new Identity);
  identity->initiator_ = make_context(Role::initiator, credentials, policy);
  identity->acceptor_ = make_context(Role::acceptor, credentials, policy);
  identity->certificate_ = describe(credentials.certificate.get());
  return identity;
}

}  // namespace routevpn::dtls
