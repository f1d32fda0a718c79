#include "routevpn/pki/authority.hpp"

#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/files.hpp"

#include "directory.hpp"

namespace routevpn::pki {

namespace {

using Existing = FileSet::Existing;
using std::chrono::days;

TimePoint end_of_certificate(const SignOrder& order, TimePoint issuer_end, TimePoint at) {
  if (!order.days) return std::min(at + drawn_lifetime(), issuer_end);
  const TimePoint wanted = at + days{*order.days};
  if (wanted > issuer_end) {
    const auto left = std::chrono::duration_cast<days>(issuer_end - at).count();
    throw UsageError("--days " + std::to_string(*order.days) + ": the CA itself ends in " +
                     std::to_string(left) + " days, at " + to_text(issuer_end));
  }
  return wanted;
}

bool names(const RevokeOrder& order, const IssuedCertificate& entry) {
  return order.serial.empty() ? entry.name == order.name : entry.serial == order.serial;
}

bool selects(const RevokeOrder& order, const IssuedCertificate& entry, TimePoint at) {
  return names(order, entry) && !entry.revoked_at &&
         (!order.serial.empty() || entry.status(at) == Status::valid);
}

// Why the order selected nothing.
UsageError nothing_to_revoke(const Index& index, const RevokeOrder& order) {
  const bool by_serial = !order.serial.empty();
  const std::string what = by_serial ? "--serial " + order.serial : "--name " + order.name;
  if (std::none_of(index.begin(), index.end(),
                   [&](const auto& entry) { return names(order, entry); })) {
    return UsageError(what + ": no such certificate in ca.index, see `routevpn pki list`");
  }
  return UsageError(what +
                    (by_serial ? ": is revoked already" : ": is revoked or expired already"));
}

// Without --days a new list ends no sooner than the last: a revocation must not shorten the time
// after which links refuse every peer.
TimePoint end_of_list(const RevokeOrder& order, const X509_CRL* last, TimePoint at) {
  const TimePoint wanted = at + days{order.days.value_or(revocation_list_days)};
  if (order.days || last == nullptr) return wanted;
  return std::max(wanted, next_update(last));
}

// A directory without ca.key and ca.index is a copy of certificates from the CA's host.
Index load_index_of_copy(const std::string& directory) {
  const bool is_copy = !exists(in(directory, "ca.key")) && !exists(in(directory, "ca.index"));
  return is_copy ? Index() : load_index(directory);
}

std::size_t revoked_in(const Index& index) {
  return static_cast<std::size_t>(std::ranges::count_if(
      index, [](const IssuedCertificate& entry) { return entry.revoked_at.has_value(); }));
}

}  // namespace

void require_common_name(const std::string& name) {
  constexpr std::size_t longest = 64;  // ub-common-name, RFC 5280 appendix A.1
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (name.empty() || name.size() > longest || !printable) {
    throw UsageError("must be 1 to 64 printable ASCII characters");
  }
}

void require_authority(const std::string& directory) {
  const DirectoryLock lock(directory);
  const auto issuer = load_issuer(directory, now());
  static_cast<void>(load_complete_index(directory, issuer));
}

void require_valid(const std::string& directory, const std::string& name) {
  const DirectoryLock lock(directory);
  const std::string issuer_path = in(directory, "ca.cert");
  const std::string path = in(directory, name + ".cert");
  const auto issuer = read_certificate(issuer_path);
  const auto certificate = read_certificate(path);
  if (!issued(issuer.get(), certificate.get())) {
    throw UsageError(path + ": was not issued by " + issuer_path);
  }
  const auto refuse = [&](const std::string& why) {
    return UsageError(path + ": is " + why + "; `routevpn pki sign --name " + name +
                      " --force` makes a new one");
  };
  if (not_after(certificate.get()) <= now()) throw refuse("expired");
  const std::string serial = serial_of(certificate.get());
  const auto list = load_revocation_list(directory);
  if (list != nullptr && is_issuer_of(issuer.get(), list.get()) &&
      std::ranges::count(revoked_serials(list.get()), serial) > 0) {
    throw refuse("revoked");
  }
  for (const auto& entry : load_index_of_copy(directory)) {
    if (entry.serial == serial && entry.revoked_at) throw refuse("revoked");
  }
}

TimePoint create_authority(const AuthorityOrder& order, TimePoint at) {
  require_common_name(order.common_name);
  const DirectoryLock lock(order.directory);
  const Validity validity{at - clock_slack, at + days{order.days}};
  const std::string key_path = in(order.directory, "ca.key");
  const std::string certificate_path = in(order.directory, "ca.cert");
  const std::string index_path = in(order.directory, "ca.index");
  for (const auto& path : {key_path, certificate_path, index_path}) {
    if (exists(path)) throw UsageError(path + ": exists already, and a CA is never overwritten");
  }
  const auto key = generate_key(order.algorithm);
  const auto certificate = make_authority(key.get(), order.common_name, validity);
  FileSet files;
  files.stage(key_path, to_pem(key.get()), secret, Existing::refuse);
  files.stage(certificate_path, to_pem(certificate.get()), open_to_all, Existing::refuse);
  files.stage(index_path, format_index({}), open_to_all, Existing::refuse);
  files.commit();
  return validity.not_after;
}

void create_request(const RequestOrder& order) {
  require_name(order.name);
  const DirectoryLock lock(order.directory);
  const std::string key_path = in(order.directory, order.name + ".key");
  const std::string request_path = in(order.directory, order.name + ".csr");
  if (exists(key_path)) throw UsageError(key_path + ": exists already, and is never overwritten");
  const auto key = generate_key(order.algorithm);
  const auto request = make_request(key.get(), order.name);
  FileSet files;
  files.stage(key_path, to_pem(key.get()), secret, Existing::refuse);
  files.stage(request_path, to_pem(request.get()), open_to_all, Existing::refuse);
  files.commit();
}

IssuedCertificate sign(const SignOrder& order, TimePoint at) {
  require_name(order.name);
  const DirectoryLock lock(order.directory);
  const auto issuer = load_issuer(order.directory, at);
  const std::string path = in(order.directory, order.name + ".cert");
  if (exists(path) && !order.replace) {
    throw UsageError(path + ": exists already; --force replaces it with a renewed certificate");
  }
  const auto subject_key = load_subject_key(in(order.directory, order.name + ".csr"));
  const auto end = end_of_certificate(order, not_after(issuer.certificate.get()), at);
  IssuedCertificate entry{random_serial(), order.name, end, std::nullopt};
  const auto certificate = make_certificate(issuer, subject_key.get(), order.name, entry.serial,
                                            {at - clock_slack, end});
  auto index = load_complete_index(order.directory, issuer);
  index.push_back(entry);
  FileSet files;
  // The index comes first: a certificate that is not in it cannot be revoked.
  files.stage(in(order.directory, "ca.index"), format_index(index), open_to_all, Existing::replace);
  files.stage(path, to_pem(certificate.get()), open_to_all,
              order.replace ? Existing::replace : Existing::refuse);
  files.commit();
  return entry;
}

Revocation revoke(const RevokeOrder& order, TimePoint at) {
  const DirectoryLock lock(order.directory);
  const auto issuer = load_issuer(order.directory, at);
  auto index = load_complete_index(order.directory, issuer);
  const auto last = load_revocation_list(order.directory);
  Revocation result;
  result.next_update = end_of_list(order, last.get(), at);
  for (auto& entry : index) {
    if (selects(order, entry, at)) {
      entry.revoked_at = at;
      result.revoked.push_back(entry);
    }
  }
  result.revoked_in_all = revoked_in(index);
  const bool renewal_only = order.name.empty() && order.serial.empty();
  if (result.revoked.empty() && !renewal_only) throw nothing_to_revoke(index, order);
  const auto list = make_revocation_list(issuer, index, next_number(last.get(), at),
                                         {at - clock_slack, result.next_update});
  FileSet files;
  files.stage(in(order.directory, "ca.index"), format_index(index), open_to_all, Existing::replace);
  files.stage(in(order.directory, "ca.crl"), to_pem(list.get()), open_to_all, Existing::replace);
  files.commit();
  return result;
}

bool has_revocation_list(const std::string& directory, TimePoint until) {
  const DirectoryLock lock(directory);
  const auto list = load_revocation_list(directory);
  if (list == nullptr) return false;
  const auto issuer = read_certificate(in(directory, "ca.cert"));
  return is_issuer_of(issuer.get(), list.get()) && next_update(list.get()) >= until &&
         entries_of(list.get()) >= revoked_in(load_index_of_copy(directory));
}

Index list(const std::string& directory) {
  const DirectoryLock lock(directory);
  require_authority_certificate(directory);
  return load_index(directory);
}

}  // namespace routevpn::pki
