// Verifies the certificates of peers at a virtual time, as dtls/verify.cpp has OpenSSL do.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <openssl/x509_vfy.h>

#include "routevpn/pki/certificate.hpp"

namespace routevpn::pki {

class Verifier {
 public:
  static constexpr std::chrono::days crl_grace{30};  // the default of --crl-grace

  enum class Verdict : std::uint8_t { refused, in_grace, accepted };

  // The number of a certificate, and of a bundle of CA certificates with their CRLs. The same
  // texts have the same number.
  std::size_t certificate(const std::string& pem);
  std::size_t trust(const std::vector<std::string>& authorities,
                    const std::vector<std::string>& lists);

  [[nodiscard]] Verdict verdict(std::size_t certificate, std::size_t trust, TimePoint at);
  [[nodiscard]] std::size_t verifications() const { return verifications_; }

 private:
  using Store = Owned<X509_STORE, X509_STORE_free>;

  std::map<std::string, std::size_t> certificate_numbers_;
  std::map<std::string, std::size_t> trust_numbers_;
  std::vector<Certificate> certificates_;
  std::vector<Store> trusts_;
  std::size_t verifications_ = 0;
};

// Which certificates are verified with which trust. Each of OpenSSL's conditions holds for one span
// of time, so a pair that is accepted in the first and in the last hour of its use is accepted in
// each hour between them.
class Uses {
 public:
  struct Pair {
    std::size_t certificate;
    std::size_t trust;
    auto operator<=>(const Pair&) const = default;
  };

  explicit Uses(Verifier& verifier) : verifier_(verifier) {}

  // `now`: the pairs in use from this hour on.
  void change(std::vector<Pair> now, TimePoint hour);
  void end(TimePoint hour) { change({}, hour); }

  std::size_t refused = 0;
  std::size_t in_grace = 0;

 private:
  void verify(const Pair& pair, TimePoint at);

  Verifier& verifier_;
  std::vector<Pair> pairs_;  // sorted
};

}  // namespace routevpn::pki
