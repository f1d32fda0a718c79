// The gateway's certificate, its chain to the CA, and the CRL: valid now, and for how long.

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "routevpn/base/text.hpp"
#include "routevpn/doctor/doctor.hpp"
#include "routevpn/pki/certificate.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

using std::chrono::days, std::chrono::seconds;
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

void release_stack(STACK_OF(X509) * certificates) {
  sk_X509_free(certificates);
}
using Stack = Owned<STACK_OF(X509), release_stack>;

// What ends soon is a note from the last third of its lifetime on, because it is renewed then. In
// the last tenth, at most the last 7 days, it is a fault: the renewal does not work.
constexpr int note_part = 3;
constexpr int fault_part = 10;
constexpr seconds longest_fault = days{7};

std::vector<pki::Certificate> certificates_of(const std::string& pem) {
  const auto bio = pki::reader(pem);
  std::vector<pki::Certificate> found;
  while (pki::Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(std::move(one));
  }
  ERR_clear_error();
  return found;
}

std::vector<pki::RevocationList> lists_of(const std::string& pem) {
  const auto bio = pki::reader(pem);
  std::vector<pki::RevocationList> found;
  while (pki::RevocationList one{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(std::move(one));
  }
  ERR_clear_error();
  return found;
}

seconds between(const ASN1_TIME* from, const ASN1_TIME* to) {
  int whole_days = 0;
  int rest = 0;
  if (ASN1_TIME_diff(&whole_days, &rest, from, to) != 1) return seconds{0};
  return days{whole_days} + seconds{rest};
}

// One set of files. Links of a gateway usually share it.
class Files {
 public:
  Files(const options::LinkOptions& options, const Machine& machine, Findings& findings)
      : options_(options), machine_(machine), findings_(findings) {}

  void check() {
    const auto own = read(options_.certificate, "certificate");
    const auto trusted = read(options_.ca, "CA certificate");
    const auto listed = options_.crl.empty() ? std::string() : read(options_.crl, "CRL");
    chain_ = certificates_of(own);
    authorities_ = certificates_of(trusted);
    lists_ = lists_of(listed);
    if (chain_.empty() || authorities_.empty()) return;
    if (!verify()) return;
    ends(options_.certificate, "the certificate",
         between(X509_get0_notBefore(leaf()), X509_get0_notAfter(leaf())), pki::not_after(leaf()),
         renew());
    for (const auto& list : lists_) {
      const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get());
      if (next == nullptr) continue;
      ends(options_.crl, "the CRL", between(X509_CRL_get0_lastUpdate(list.get()), next),
           pki::next_update(list.get()), renew_list());
    }
  }

 private:
  [[nodiscard]] X509* leaf() const { return chain_.front().get(); }

  std::string read(const std::string& path, const std::string& kind) {
    auto content = machine_.read(path);
    const bool holds = content && content->find("-----BEGIN ") != std::string::npos;
    if (holds) return *content;
    report(path, content ? "the file holds no " + kind : "the " + kind + " cannot be read",
           "the link cannot start, or keeps the files that it has",
           "copy the file from the CA's host, then: routevpn reload");
    return {};
  }

  // False: a finding was made. The CRL comes second, so that a fault of the clock is not taken for
  // one of the CRL.
  bool verify() {
    constexpr unsigned long with_lists = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    return verify(0) && (lists_.empty() || verify(with_lists));
  }

  bool verify(unsigned long flags) {
    const Store store(pki::require(X509_STORE_new(), "make a store"));
    for (const auto& authority : authorities_) X509_STORE_add_cert(store.get(), authority.get());
    for (const auto& list : lists_) X509_STORE_add_crl(store.get(), list.get());
    const Stack others(pki::require(sk_X509_new_null(), "make a list"));
    for (std::size_t i = 1; i < chain_.size(); ++i) sk_X509_push(others.get(), chain_[i].get());
    const StoreContext context(pki::require(X509_STORE_CTX_new(), "make a verification"));
    pki::require(X509_STORE_CTX_init(context.get(), store.get(), leaf(), others.get()) == 1,
                 "prepare a verification");
    X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters, flags);
    X509_VERIFY_PARAM_set_time(parameters, machine_.now().time_since_epoch().count());
    const bool valid = X509_verify_cert(context.get()) == 1;
    ERR_clear_error();
    const int depth = X509_STORE_CTX_get_error_depth(context.get());
    if (!valid) explain(X509_STORE_CTX_get_error(context.get()), depth);
    return valid;
  }

  void explain(int error, int depth) {
    const bool own = depth == 0;
    const auto& path = own ? options_.certificate : options_.ca;
    const std::string whose = own ? "the certificate" : "the CA's certificate";
    switch (error) {
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return report(path, whose + " is not yet valid: the clock is " + rfc3339(machine_.now()),
                      "every peer refuses it until then",
                      "timedatectl; if the clock is wrong: "
                      "timedatectl set-ntp true");
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return report(path, whose + " has expired", "every peer refuses it",
                      own ? renew() : "plan a new CA: routevpn(8), section pki ca");
      case X509_V_ERR_CERT_REVOKED:
        return report(path, whose + " is revoked", "every peer with this CRL refuses it",
                      "if the gateway may have a new one, on the CA's host: routevpn pki sign "
                      "--force --name NAME; copy the file to " +
                          path + ", then: routevpn reload");
      case X509_V_ERR_CRL_HAS_EXPIRED:
        return report(options_.crl, "the CRL has expired", grace(), renew_list());
      case X509_V_ERR_UNABLE_TO_GET_CRL:
        return report(options_.crl, "the CRL is not from the CA of the certificate",
                      "every peer is refused", renew_list());
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return report(options_.certificate, "the certificate is not from the CA in " + options_.ca,
                      "a peer with this CA refuses it",
                      "copy both files from the CA's host, then: "
                      "routevpn reload");
      default:
        return report(path, whose + " is refused: " + X509_verify_cert_error_string(error),
                      "a peer with this CA refuses it", renew());
    }
  }

  void ends(const std::string& path, const std::string& what, seconds lifetime, pki::TimePoint at,
            const std::string& mend) {
    const auto left = at - machine_.now();
    if (left > lifetime / note_part) return;
    const bool late = left < std::min<seconds>(lifetime / fault_part, longest_fault);
    report(path, what + " ends at " + pki::to_text(at),
           "then peers are refused, and the link stays "
           "down",
           mend);
    if (!late) findings_.back().severity = Severity::note;
  }

  [[nodiscard]] std::string renew() const {
    return "on the CA's host: routevpn pki renew; copy the file to " + options_.certificate +
           ", then: routevpn reload";
  }
  [[nodiscard]] std::string renew_list() const {
    return "on the CA's host: routevpn pki crl; copy ca.crl to " + options_.crl +
           ", then: routevpn reload";
  }
  // How long links keep an expired list in force.
  [[nodiscard]] std::string grace() const {
    pki::TimePoint end = pki::TimePoint::max();
    for (const auto& list : lists_) {
      if (X509_CRL_get0_nextUpdate(list.get()) == nullptr) continue;
      end = std::min<pki::TimePoint>(end, pki::next_update(list.get()) + options_.crl_grace);
    }
    if (machine_.now() >= end) return "every peer is refused";
    return "the link keeps the list in force until " + pki::to_text(end) +
           " (--crl-grace); then every peer is refused";
  }

  void report(const std::string& path, std::string what, std::string why, std::string mend) {
    findings_.push_back({"certificate", path, std::move(what), std::move(why), std::move(mend)});
  }

  const options::LinkOptions& options_;
  const Machine& machine_;
  Findings& findings_;
  std::vector<pki::Certificate> chain_;  // the own first
  std::vector<pki::Certificate> authorities_;
  std::vector<pki::RevocationList> lists_;
};

// The peer's certificate, as the running link has received it.
void check_peer_certificate(const Link& link, const Machine& machine, Findings& findings) {
  const auto& peer = member(link.status, "peer");
  const auto end = pki::parse_time(text(peer, "not_after"));
  if (!end || *end - machine.now() > longest_fault) return;
  // The worker gives the name, so only a plain name becomes part of a command.
  auto name = text(peer, "name");
  if (!std::ranges::all_of(name, is_interface_character)) name = "NAME";
  findings.push_back({"certificate", link.name,
                      "the certificate of the peer " + name + " ends at " + pki::to_text(*end),
                      "then the link ends",
                      "on the CA's host: routevpn pki renew --name " + name +
                          "; copy the file to the peer, then there: routevpn reload"});
}

}  // namespace

void check_certificates(const Gateway& gateway, const Machine& machine, Findings& findings) {
  std::set<std::tuple<std::string, std::string, std::string>> checked;
  for (const auto& link : gateway.links) {
    const auto& options = link.options;
    check_peer_certificate(link, machine, findings);
    if (!checked.emplace(options.certificate, options.ca, options.crl).second) continue;
    Files(options, machine, findings).check();
  }
}

}  // namespace routevpn::doctor
