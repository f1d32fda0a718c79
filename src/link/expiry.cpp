#include "routevpn/link/expiry.hpp"

#include <algorithm>

#include "routevpn/base/text.hpp"

namespace routevpn::link {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

// A difference of WallTimes can overflow: they are nanoseconds, and a CRL may end in 2262.
seconds seconds_of(WallTime at) {
  return std::chrono::floor<seconds>(at.time_since_epoch());
}

WallTime later(WallTime at, days by) {
  const auto last = seconds_of(WallTime::max());
  return WallTime(std::min<seconds>(seconds_of(at) + by, last));
}

Ending of_certificate(Ending::Kind kind, const dtls::CertificateInfo& certificate) {
  const bool is_authority = kind == Ending::Kind::authority;
  return {kind, is_authority ? certificate.subject : certificate.name, certificate.not_before,
          certificate.not_after, certificate.not_after};
}

std::string what(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::own_certificate:
      return "the certificate of this gateway, " + ending.name + ",";
    case Ending::Kind::peer_certificate:
      return "the certificate of the peer, " + ending.name + ",";
    case Ending::Kind::authority:
      return "the CA " + ending.name;
    case Ending::Kind::revocation_list:
      break;
  }
  return "the CRL " + ending.name;
}

// "1 day", "12 days", and below two days "31 hours".
std::string length_of(seconds length) {
  const auto text = [](auto count, std::string_view unit) {
    return std::to_string(count) + std::string(unit) + (count == 1 ? "" : "s");
  };
  if (length >= days{2}) return text(length / days{1}, " day");
  return text(length / hours{1}, " hour");
}

}  // namespace

std::vector<Ending> endings_of(const dtls::Identity& identity, const std::string& crl_file,
                               const std::optional<dtls::CertificateInfo>& peer) {
  using Kind = Ending::Kind;
  std::vector<Ending> all{of_certificate(Kind::own_certificate, identity.certificate())};
  if (peer) all.push_back(of_certificate(Kind::peer_certificate, *peer));
  for (const auto& one : identity.authorities()) {
    all.push_back(of_certificate(Kind::authority, one));
  }
  if (const auto& crl = identity.revocation_dates()) {
    all.push_back({Kind::revocation_list, crl_file, crl->last_update, crl->next_update,
                   later(crl->next_update, identity.crl_grace())});
  }
  return all;
}

bool ends_soon(const Ending& ending, WallTime now) {
  const auto lifetime = seconds_of(ending.end) - seconds_of(ending.begin);
  return seconds_of(ending.end) - seconds_of(now) < lifetime / 3;
}

std::string warning_of(const Ending& ending, WallTime now) {
  const std::string subject = what(ending);
  const auto left = seconds_of(ending.end) - seconds_of(now);
  if (left > seconds{0}) return subject + " ends in " + length_of(left);
  if (ending.kind != Ending::Kind::revocation_list) return subject + " has expired";
  const auto force = seconds_of(ending.in_force_until) - seconds_of(now);
  if (force <= seconds{0}) return subject + " has expired: every peer is refused";
  return subject + " has expired: it stays in force for " + length_of(force) +
         " more, then every peer is refused";
}

bool EndWatch::warn(const Ending& ending, WallTime now) {
  if (!ends_soon(ending, now)) return false;
  const auto [last, is_new] = warned_at_.try_emplace({ending.kind, ending.name, ending.end}, now);
  const bool recent = now >= last->second && now - last->second < interval;
  if (!is_new && recent) return false;
  last->second = now;
  return true;
}

}  // namespace routevpn::link
