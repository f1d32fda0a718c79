// What ends of a link's credentials, and when to warn of it. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "routevpn/dtls/identity.hpp"

namespace routevpn::link {

using WallTime = std::chrono::system_clock::time_point;

struct Ending {
  enum class Kind : std::uint8_t { own_certificate, peer_certificate, authority, revocation_list };
  Kind kind;
  std::string name;  // of the certificate's subject; for a CRL its file
  WallTime begin;
  WallTime end;
  WallTime in_force_until;  // of a CRL: `end` and its grace; otherwise `end`
};

// `peer`: the certificate of the association in use; none without one.
std::vector<Ending> endings_of(const dtls::Identity& identity, const std::string& crl_file,
                               const std::optional<dtls::CertificateInfo>& peer);

// Whether it has ended, or less than a third of its lifetime is left.
bool ends_soon(const Ending& ending, WallTime now);

// One line for people, without the dates that `show` and the log have beside it.
std::string warning_of(const Ending& ending, WallTime now);

// Gives a warning of each ending once a day.
class EndWatch {
 public:
  // The link asks once an hour, so that two warnings are at most a day apart.
  static constexpr std::chrono::hours interval{23};

  // Whether a warning is due.
  bool warn(const Ending& ending, WallTime now);

 private:
  // Two CAs may have the same name.
  using Key = std::tuple<Ending::Kind, std::string, WallTime>;
  std::map<Key, WallTime> warned_at_;
};

}  // namespace routevpn::link
