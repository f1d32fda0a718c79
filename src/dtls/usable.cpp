// Faults of credentials that are each correct, but of no use together.
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/credentials.hpp"

#include "certificate.hpp"

namespace routevpn::dtls {

namespace {

using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
void release_list(STACK_OF(X509) * certificates) {
  sk_X509_free(certificates);
}
using CertificateList = Owned<STACK_OF(X509), release_list>;

// Whether the chain of our certificate leads to a CA of --ca. Dates do not matter here:
// load_credentials() has checked them.
bool is_from_authority(const Credentials& credentials) {
  const Store store(pki::require(X509_STORE_new(), "make a store"));
  for (const auto& one : credentials.authorities) {
    pki::require(X509_STORE_add_cert(store.get(), one.get()) == 1, "fill a store");
  }
  const CertificateList chain(pki::require(sk_X509_new_null(), "make a chain"));
  for (const auto& one : credentials.chain) {
    pki::require(sk_X509_push(chain.get(), one.get()) > 0, "make a chain");
  }
  const StoreContext context(pki::require(X509_STORE_CTX_new(), "prepare a verification"));
  pki::require(X509_STORE_CTX_init(context.get(), store.get(), credentials.certificate.get(),
                                   chain.get()) == 1,
               "prepare a verification");
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_NO_CHECK_TIME);
  const bool verified = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return verified;
}

bool is_own_name(const Credentials& credentials, const std::string& name) {
  constexpr unsigned flags = X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  return name != "*" && X509_check_host(credentials.certificate.get(), name.data(), name.size(),
                                        flags, nullptr) == 1;
}

}  // namespace

Credentials load_for_link(const IdentityFiles& files, const IdentityPolicy& policy,
                          bool refuse_ended_crl) {
  auto credentials = load_credentials(files, {policy.crl_grace, refuse_ended_crl});
  Identity::make(credentials, policy);
  std::vector<std::string> faults;
  if (!is_from_authority(credentials)) {
    faults.push_back("--cert " + files.certificate + ": not issued by a CA of --ca " + files.ca +
                     ": its issuer is " +
                     shown(X509_get_issuer_name(credentials.certificate.get())));
  }
  if (is_own_name(credentials, policy.peer_name)) {
    faults.push_back("--peer-name " + policy.peer_name + ": is the name of our own certificate, " +
                     files.certificate + "; it must be the peer's");
  }
  if (!faults.empty()) throw UsageErrors(std::move(faults));
  return credentials;
}

}  // namespace routevpn::dtls
