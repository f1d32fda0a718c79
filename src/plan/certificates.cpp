#include "certificates.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

namespace {

std::string request_text(const std::string& name) {
  return name + " has no certificate yet. On " + name +
         ", make a key and a certificate request:\n\n    routevpn pki csr --name " + name +
         " --dir /etc/routevpn\n\nCopy " + name +
         ".csr to the CA's directory, and run there:\n\n    routevpn pki sign --name " + name +
         "\n\nInstall " + name +
         ".cert and ca.cert where the configuration of the links expects them.\n";
}

}  // namespace

Certificates::Certificates(const Plan& plan, std::string directory)
    : plan_(plan), directory_(std::move(directory)) {
  needs_crl_ = std::ranges::any_of(
      plan.topology.gateways, [](const Gateway& gateway) { return !gateway.settings.crl.empty(); });
}

bool Certificates::has(const std::string& file) const {
  return !directory_.empty() && exists(at(file));
}

bool Certificates::can_issue() const {
  return !directory_.empty() && (has("ca.key") || !has("ca.cert"));
}

// A new CA beside certificates of an old CA would split the gateways into two groups.
void Certificates::require_sound() const {
  if (directory_.empty()) return;
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
  if (!can_issue()) return;
  if (has_authority) pki::require_authority(directory_);
  require_writable(directory_);
}

void Certificates::issue() const {
  if (!can_issue()) return;
  if (!has("ca.cert")) {
    std::error_code failed;
    if (std::filesystem::create_directories(directory_, failed)) ::chmod(directory_.c_str(), 0700);
    if (failed) throw SystemError("create " + directory_ + ": " + failed.message());
    pki::create_authority({directory_, plan_.topology.organisation.name + " CA"});
  }
  for (const auto& gateway : plan_.topology.gateways) {
    if (has(gateway.name + ".cert")) continue;
    if (!has(gateway.name + ".csr")) pki::create_request({directory_, gateway.name});
    pki::sign({.directory = directory_, .name = gateway.name, .days = {}});
  }
  if (!needs_crl_ || has("ca.crl")) return;
  pki::revoke({.directory = directory_, .name = {}, .serial = {}});  // only makes the CRL
}

void Certificates::add(PlannedFiles& files, const std::string& gateway, const std::string& file,
                       mode_t mode) const {
  files.push_back({gateway + "/pki/" + file, has(file) ? read_file(at(file)) : "", mode});
}

PlannedFiles Certificates::files() const {
  PlannedFiles files;
  const bool issues = can_issue();
  for (const auto& gateway : plan_.topology.gateways) {
    const auto& name = gateway.name;
    if (!issues && !has(name + ".cert")) {
      std::string path = name + "/pki/";
      path += name + ".request";
      files.push_back({std::move(path), request_text(name)});
      continue;
    }
    add(files, name, "ca.cert", 0644);
    add(files, name, name + ".cert", 0644);
    // A key that was made on the gateway is not in the directory.
    const bool to_be_made = !has(name + ".csr") && !has(name + ".cert");
    if (to_be_made || has(name + ".key")) add(files, name, name + ".key", 0600);
    if (has("ca.crl") || (issues && needs_crl_)) add(files, name, "ca.crl", 0644);
  }
  return files;
}

}  // namespace routevpn::plan
