// A private CA in a directory, for `routevpn pki`.
//
//   ca.key ca.cert ca.index ca.crl    the CA; ca.key never leaves this directory
//   NAME.key NAME.csr NAME.cert       a gateway; without NAME.key if the gateway makes its own key
//                                     and sends only NAME.csr
//
// Every operation locks the directory, checks everything, and then puts its files in place
// together. All throw UsageError for what the user can correct and SystemError for what the system
// refused; then no file has changed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routevpn/pki/index.hpp"
#include "routevpn/pki/key.hpp"

namespace routevpn::pki {

inline constexpr int longest_days = 36500;
inline constexpr int authority_days = 3650;
// Each certificate gets a random lifetime of certificate_days +-10 %, so that the certificates of a
// network do not all end in the same hour.
inline constexpr int certificate_days = 365;
inline constexpr std::chrono::days certificate_spread{36};
inline constexpr int revocation_list_days = 30;

struct AuthorityOrder {
  std::string directory = ".";
  std::string common_name = "routevpn CA";
  int days = authority_days;
  Algorithm algorithm = Algorithm::p256;
};

struct RequestOrder {
  std::string directory = ".";
  std::string name;
  Algorithm algorithm = Algorithm::p256;
};

struct SignOrder {
  std::string directory = ".";
  std::string name;
  std::optional<int> days;  // none: certificate_days, spread, but not beyond the CA's end
  bool replace = false;     // renewal: NAME.cert may exist
};

struct RenewOrder {
  std::string directory = ".";
  std::optional<int> before;  // days before the end; none: a third of the certificate's lifetime
  std::string name;           // only this certificate; empty: all, and ca.crl
};

struct RevocationListOrder {
  std::string directory = ".";
  std::optional<int> days;  // see RevokeOrder
};

struct RevokeOrder {
  std::string directory = ".";
  std::string name;    // every certificate of this name that is neither expired nor revoked
  std::string serial;  // or only this certificate; with neither, only the CRL is renewed
  // None: revocation_list_days, or as long as the present ca.crl if that ends later.
  std::optional<int> days;
};

// Throws UsageError, which names the allowed characters, if this cannot be a CA's common name.
void require_common_name(const std::string& name);

// Throws UsageError unless ca.key and ca.cert are a CA that can sign.
void require_authority(const std::string& directory);
// Throws UsageError unless NAME.cert was signed by ca.cert and is neither expired nor revoked.
void require_valid(const std::string& directory, const std::string& name);

// Makes ca.key and ca.cert; returns when the CA ends.
TimePoint create_authority(const AuthorityOrder& order, TimePoint at = now());
// Makes NAME.key and NAME.csr.
void create_request(const RequestOrder& order);
// Makes NAME.cert for the public key in NAME.csr. Nothing else of the request is used.
IssuedCertificate sign(const SignOrder& order, TimePoint at = now());

struct Renewal {
  std::vector<IssuedCertificate> certificates;  // that were renewed
  std::optional<TimePoint> next_update;         // of ca.crl, if it was renewed
  std::vector<std::string> faults;              // why certificates that are due were not renewed
  std::optional<TimePoint> authority_end;       // if it limits a certificate that is due
  // The file that is due first of those that are not due now, and when; none without such a file.
  std::optional<std::pair<std::string, TimePoint>> next;
};
// Renews the newest certificate of each name, unless it is revoked, when it ends soon at the time
// `at`, and ca.crl when two thirds of its life have passed. The new certificate has the lifetime of
// the old one if --days had set that. Its key is that of NAME.csr, or without this file that of
// NAME.cert.
Renewal renew(const RenewOrder& order, TimePoint at = now());

struct Revocation {
  Index revoked;  // by this call
  std::size_t revoked_in_all = 0;
  TimePoint next_update;  // the CRL must be renewed by then
};
// Writes ca.crl.
Revocation revoke(const RevokeOrder& order, TimePoint at = now());
// Whether ca.crl is signed by ca.cert's key, ends no sooner than `until`, and lists all revoked
// certificates of ca.index.
bool has_revocation_list(const std::string& directory, TimePoint until);
// Oldest first.
Index list(const std::string& directory);

}  // namespace routevpn::pki
