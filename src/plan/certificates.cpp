#include "certificates.hpp"

#include <algorithm>
#include <chrono>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/pki/certificate.hpp"
#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

namespace {

// A planned CRL is valid for 10 years, because nothing renews it but the next plan, and an expired
// CRL ends every link. It need not be short: a revocation reaches the gateways by a new plan.
constexpr int crl_days = 3650;
// The CRL of a plan is valid for this time at least.
constexpr std::chrono::days crl_days_left{crl_days * 2 / 3};

constexpr auto request_ending = ".request";

std::string request_text(const std::string& name) {
  return name + " has no certificate yet. On " + name +
         ", make a key and a certificate request:\n\n    routevpn pki csr --name " + name +
         " --dir /etc/routevpn/pki\n\nCopy " + name +
         ".csr to the CA's directory, and run there:\n\n    routevpn pki sign --name " + name +
         "\n\nInstall " + name +
         ".cert, ca.cert and ca.crl where the configuration of the links expects them.\n";
}

}  // namespace

Certificates::Certificates(const Plan& plan, std::string directory)
    : plan_(plan), directory_(std::move(directory)) {}

bool Certificates::has(const std::string& file) const {
  return !directory_.empty() && exists(at(file));
}

bool Certificates::can_issue() const {
  return !directory_.empty() && (has("ca.key") || !has("ca.cert"));
}

bool Certificates::must_renew_crl() const {
  return can_issue() &&
         (!has("ca.cert") || !pki::has_revocation_list(directory_, pki::now() + crl_days_left));
}

std::size_t Certificates::keep_former(Output& output) {
  if (!directory_.empty()) return 0;
  for (const auto& path : output.written()) {
    const auto slash = path.find('/');
    const bool is_credential = slash != std::string::npos && path.compare(slash, 5, "/pki/") == 0 &&
                               !path.ends_with(request_ending);
    if (!is_credential || !plan_.topology.find_gateway(path.substr(0, slash))) continue;
    if (!output.exists(path)) continue;
    output.keep(path);
    kept_.insert(path);
  }
  return kept_.size();
}

bool Certificates::makes_authority() const {
  return can_issue() && !has("ca.cert");
}

std::string Certificates::authority(const std::string& former) const {
  if (directory_.empty() || !has("ca.cert")) return former;
  const auto certificate = pki::parse_certificate(read_file(at("ca.cert")), at("ca.cert"));
  return pki::key_digest(certificate.get());
}

// A new CA beside certificates of an old CA would split the gateways into two groups.
void Certificates::require_sound() const {
  if (directory_.empty()) return;
  if (exists(directory_)) require_trusted_directory(directory_);
  const bool has_authority = has("ca.cert");
  if (!has_authority && has("ca.key")) {
    throw UsageError(at("ca.cert") + ": is missing, but ca.key exists");
  }
  for (const auto& gateway : plan_.topology.gateways) {
    const std::string file = gateway.name + ".cert";
    if (!has(file)) continue;
    if (!has_authority) throw UsageError(at("ca.cert") + ": is missing, but its CA issued " + file);
    pki::require_valid(directory_, gateway.name);
  }
  if (!can_issue()) return require_current_crl();
  if (has_authority) pki::require_authority(directory_);
  require_writable(directory_);
}

// Without the CA's key the plan copies ca.crl. An expired one would end every link.
void Certificates::require_current_crl() const {
  const std::string remedy = "; `routevpn pki revoke` writes a new one where ca.key is";
  if (!has("ca.crl")) {
    throw UsageError(at("ca.crl") + ": is missing, but every planned link reads it" + remedy);
  }
  if (pki::has_revocation_list(directory_, pki::now())) return;
  throw UsageError(at("ca.crl") + ": has expired, is of another CA or lacks a revoked certificate" +
                   remedy);
}

void Certificates::issue() const {
  if (!can_issue()) return;
  if (!has("ca.cert")) {
    make_directories(directory_, 0700);
    pki::create_authority({directory_, plan_.topology.organisation.name + " CA"});
  }
  for (const auto& gateway : plan_.topology.gateways) {
    if (has(gateway.name + ".cert")) continue;
    if (!has(gateway.name + ".csr")) pki::create_request({directory_, gateway.name});
    pki::sign({.directory = directory_, .name = gateway.name, .days = {}});
  }
  if (!must_renew_crl()) return;
  // Without name and serial this only writes the CRL.
  pki::revoke({.directory = directory_, .name = {}, .serial = {}, .days = crl_days});
}

void Certificates::add(PlannedFiles& files, const std::string& gateway, const std::string& file,
                       mode_t mode) const {
  const auto trust = (mode & 077) == 0 ? Trust::secret : Trust::unaltered;
  files.push_back({gateway + "/pki/" + file, has(file) ? read_file(at(file), trust) : "", mode});
}

PlannedFiles Certificates::files() const {
  PlannedFiles files;
  const bool issues = can_issue();
  const bool renews = must_renew_crl();
  for (const auto& gateway : plan_.topology.gateways) {
    const auto& name = gateway.name;
    if (renews) files.push_back({name + "/pki/ca.crl", ""});
    if (!renews && has("ca.crl")) add(files, name, "ca.crl", 0644);
    if (!issues && !has(name + ".cert")) {
      std::string path = name + "/pki/";
      path += name;
      if (kept_.contains(path + ".cert")) continue;
      files.push_back({path.append(request_ending), request_text(name)});
      continue;
    }
    add(files, name, "ca.cert", 0644);
    add(files, name, name + ".cert", 0644);
    // A key that was made on the gateway is not in the directory.
    const bool to_be_made = !has(name + ".csr") && !has(name + ".cert");
    if (to_be_made || has(name + ".key")) add(files, name, name + ".key", 0600);
  }
  return files;
}

}  // namespace routevpn::plan
