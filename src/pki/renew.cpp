#include <algorithm>
#include <map>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/pki/files.hpp"
#include "routevpn/pki/key.hpp"

#include "directory.hpp"

namespace routevpn::pki {

namespace {

using Existing = FileSet::Existing;
using std::chrono::days;
using std::chrono::seconds;

// Where the CA's end limits a new certificate, it must end later than the old by this time at
// least. Else every run would make another.
constexpr days least_gain{1};

// The newest certificate of each name that is not revoked. A name whose newest is revoked has none.
Index current_certificates(const Index& index, const std::string& only) {
  std::map<std::string, IssuedCertificate> newest;
  for (const auto& entry : index) {
    if (only.empty() || entry.name == only) newest[entry.name] = entry;
  }
  if (!only.empty() && newest.empty()) {
    throw UsageError("--name " + only +
                     ": no such certificate in ca.index, see `routevpn pki list`");
  }
  if (!only.empty() && newest[only].revoked_at) {
    throw UsageError("--name " + only + ": is revoked; `routevpn pki sign --name " + only +
                     " --force` makes a new certificate");
  }
  Index current;
  for (auto& [name, entry] : newest) {
    if (!entry.revoked_at) current.push_back(std::move(entry));
  }
  return current;
}

class Renewer {
 public:
  Renewer(const RenewOrder& order, TimePoint at)
      : order_(order),
        at_(at),
        issuer_(load_issuer(order.directory, at)),
        issuer_end_(not_after(issuer_.certificate.get())),
        index_(load_complete_index(order.directory, issuer_)) {}

  Renewal run() {
    for (const auto& entry : current_certificates(index_, order_.name)) consider(entry);
    if (order_.name.empty()) consider_list();
    FileSet files;
    // The index comes first: a certificate that is not in it cannot be revoked.
    if (!result_.certificates.empty()) stage(files, "ca.index", format_index(index_));
    for (const auto& [file, content] : made_) stage(files, file, content);
    files.commit();
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::string path(const std::string& file) const {
    return in(order_.directory, file);
  }
  void stage(FileSet& files, const std::string& file, const std::string& content) const {
    files.stage(path(file), content, open_to_all, Existing::replace);
  }
  void due_later(const std::string& file, TimePoint when) {
    if (!result_.next || when < result_.next->second) result_.next = {file, when};
  }

  void consider(const IssuedCertificate& entry) {
    const std::string file = entry.name + ".cert";
    try {
      const Certificate old = exists(path(file)) ? read_certificate(path(file)) : nullptr;
      const bool is_newest = old != nullptr && serial_of(old.get()) == entry.serial;
      const seconds lifetime = is_newest
                                   ? not_after(old.get()) - not_before(old.get()) - clock_slack
                                   : seconds(days{certificate_days});
      const seconds before = order_.before ? seconds(days{*order_.before}) : lifetime / 3;
      if (at_ < entry.not_after - before) return due_later(file, entry.not_after - before);
      const auto end = std::min(at_ + lifetime_of_new(entry, lifetime), issuer_end_);
      const bool limited = end == issuer_end_;
      if (limited) result_.authority_end = end;
      if (!limited || end >= entry.not_after + least_gain) renew(entry, end, old.get());
    } catch (const UsageError& error) {
      result_.faults.emplace_back(error.what());
    }
  }

  // A lifetime outside the default's spread was given by --days, unless the CA's end has cut it.
  [[nodiscard]] seconds lifetime_of_new(const IssuedCertificate& entry, seconds old) const {
    const seconds mean = days{certificate_days};
    const bool given = std::chrono::abs(old - mean) > certificate_spread + days{1};
    return given && entry.not_after < issuer_end_ ? old : drawn_lifetime();
  }

  void renew(const IssuedCertificate& old_entry, TimePoint end, X509* old) {
    const auto key = subject_key(old_entry.name, old);
    const IssuedCertificate entry{random_serial(), old_entry.name, end, std::nullopt};
    const auto certificate =
        make_certificate(issuer_, key.get(), entry.name, entry.serial, {at_ - clock_slack, end});
    index_.push_back(entry);
    made_.emplace_back(entry.name + ".cert", to_pem(certificate.get()));
    result_.certificates.push_back(entry);
  }

  [[nodiscard]] Key subject_key(const std::string& name, X509* old) const {
    const std::string request = path(name + ".csr");
    if (exists(request)) return load_subject_key(request);
    if (old == nullptr) {
      throw UsageError(request + ": is missing, and so is " + name +
                       ".cert; the renewal needs the public key of one of them");
    }
    Key key(X509_get_pubkey(old));
    if (const auto fault = why_unusable(key.get()); !fault.empty()) {
      throw UsageError(path(name + ".cert") + ": " + fault);
    }
    return key;
  }

  void consider_list() {
    const auto last = load_revocation_list(order_.directory);
    if (last == nullptr) return;
    const auto begin = last_update(last.get());
    const auto end = next_update(last.get());
    const auto due = begin + (end - begin) * 2 / 3;
    if (at_ < due) return due_later("ca.crl", due);
    result_.next_update = at_ + (end - begin - clock_slack);
    const auto list = make_revocation_list(issuer_, index_, next_number(last.get(), at_),
                                           {at_ - clock_slack, *result_.next_update});
    made_.emplace_back("ca.crl", to_pem(list.get()));
  }

  const RenewOrder& order_;
  const TimePoint at_;
  Issuer issuer_;
  TimePoint issuer_end_;
  Index index_;
  std::vector<std::pair<std::string, std::string>> made_;  // file names and contents
  Renewal result_;
};

}  // namespace

Renewal renew(const RenewOrder& order, TimePoint at) {
  const DirectoryLock lock(order.directory);
  return Renewer(order, at).run();
}

}  // namespace routevpn::pki
