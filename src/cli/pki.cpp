#include <algorithm>

#include <nlohmann/json.hpp>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

namespace routevpn::cli {

namespace {

using pki::Index;
using pki::TimePoint;

void print_table(const Index& index, TimePoint now, const Console& console) {
  std::size_t name_width = std::string_view("NAME").size();
  std::size_t serial_width = std::string_view("SERIAL").size();
  for (const auto& entry : index) {
    name_width = std::max(name_width, entry.name.size());
    serial_width = std::max(serial_width, entry.serial.size());
  }
  const auto row = [&](std::string name, std::string serial, std::string expires,
                       std::string_view status) {
    name.resize(name_width + 2, ' ');
    serial.resize(serial_width + 2, ' ');
    expires.resize(std::string_view("2026-11-21T20:39:00Z").size() + 2, ' ');
    console.out << name << serial << expires << status << "\n";
  };
  row("NAME", "SERIAL", "EXPIRES", "STATUS");
  for (const auto& entry : index) {
    row(entry.name, entry.serial, pki::to_text(entry.not_after), name_of(entry.status(now)));
  }
}

void print_json(const Index& index, TimePoint now, const Console& console) {
  auto list = nlohmann::json::array();
  for (const auto& entry : index) {
    nlohmann::json object = {{"name", entry.name},
                             {"serial", entry.serial},
                             {"not_after", pki::to_text(entry.not_after)},
                             {"status", name_of(entry.status(now))},
                             {"revoked_at", nullptr}};
    if (entry.revoked_at) object["revoked_at"] = pki::to_text(*entry.revoked_at);
    list.push_back(std::move(object));
  }
  console.out << list.dump(2) << "\n";
}

// False: a certificate is due and was not renewed.
bool renew(const pki::RenewOrder& order, const Console& console) {
  const auto renewal = pki::renew(order);
  for (const auto& entry : renewal.certificates) {
    console.out << entry.name << ".cert: renewed, serial " << entry.serial << ", valid until "
                << pki::to_text(entry.not_after) << "\n";
  }
  if (renewal.next_update) {
    console.out << "ca.crl: renewed, to be renewed before " << pki::to_text(*renewal.next_update)
                << "\n";
  }
  const bool idle = renewal.certificates.empty() && !renewal.next_update;
  if (idle && renewal.faults.empty()) {
    console.out << "nothing is due";
    if (renewal.next) {
      console.out << " before " << pki::to_text(renewal.next->second) << ", when "
                  << renewal.next->first << " is";
    }
    console.out << "\n";
  }
  if (renewal.authority_end) {
    console.report("warning: certificates cannot outlive the CA, which ends at " +
                   pki::to_text(*renewal.authority_end) + ": make a new CA");
  }
  console.report(renewal.faults);
  return renewal.faults.empty();
}

struct Runner {
  const Console& console;
  bool& failed;

  void operator()(const pki::AuthorityOrder& order) const {
    const auto end = pki::create_authority(order);
    console.out << "ca.key, ca.cert: " << order.common_name << ", valid until " << pki::to_text(end)
                << "\n";
  }
  void operator()(const pki::RequestOrder& order) const {
    pki::create_request(order);
    console.out << order.name << ".key, " << order.name << ".csr: the key stays on the gateway, "
                << "the request goes to the CA\n";
  }
  void operator()(const pki::SignOrder& order) const {
    const auto entry = pki::sign(order);
    console.out << order.name << ".cert: serial " << entry.serial << ", valid until "
                << pki::to_text(entry.not_after) << "\n";
  }
  void operator()(const pki::RevokeOrder& order) const {
    const auto revocation = pki::revoke(order);
    for (const auto& entry : revocation.revoked) {
      console.out << "revoked " << entry.name << ", serial " << entry.serial << "\n";
    }
    console.out << "ca.crl: " << revocation.revoked_in_all << " revoked, to be renewed before "
                << pki::to_text(revocation.next_update) << "\n";
  }
  void operator()(const pki::RevocationListOrder& order) const {
    (*this)(pki::RevokeOrder{order.directory, {}, {}, order.days});
  }
  void operator()(const pki::RenewOrder& order) const { failed = !renew(order, console); }
  void operator()(const ListCertificates& list) const {
    const auto index = pki::list(list.directory);
    const auto print = list.json ? print_json : print_table;
    print(index, pki::now(), console);
  }
  void operator()(const pki::PskOrder& order) const {
    if (order.out.empty()) {
      console.out << pki::make_psk();
    } else {
      pki::create_psk(order.out);
      console.out << order.out << ": the same file goes to both gateways of the link\n";
    }
  }
};

}  // namespace

int run(const PkiCommand& command, const Console& console) {
  bool failed = false;
  std::visit(Runner{console, failed}, command);
  return static_cast<int>(failed ? Exit::failed : Exit::stopped);
}

}  // namespace routevpn::cli
