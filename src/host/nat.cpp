#include "nat.hpp"

#include <algorithm>
#include <utility>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"

#include "netlink_socket.hpp"
#include "sysctl.hpp"

namespace routevpn::host {

namespace {

constexpr const char* table_prefix = "routevpn-";

// Whether the comment of another guardian's table names the sysctl of this family.
bool named_by_others(const std::string& own_table, const std::string& family) {
  const auto tables = nft_tables();
  return std::any_of(tables.begin(), tables.end(), [&](const NftTableInfo& table) {
    return table.name != own_table && table.name.starts_with(table_prefix) &&
           table.comment.find(family) != std::string::npos;
  });
}

// The name is pasted into an nft command, so it must not contain nft syntax.
std::string table_name(const std::string& ifname) {
  if (ifname.empty() || !std::all_of(ifname.begin(), ifname.end(), is_interface_character)) {
    throw UsageError("--nat: \"" + ifname +
                     "\" cannot name an nftables table: letters, digits, '_', '.' and '-' can");
  }
  return table_prefix + ifname;
}

std::string free_table_name(const std::string& ifname) {
  std::string name = table_name(ifname);
  if (poll_until([&] { return !nft_table_exists(name); }, predecessor_grace)) return name;
  throw UsageError("--nat: nftables table inet " + name + " already exists");
}

// In postrouting, iifname is the interface by which a forwarded packet arrived (Linux 5.7). An
// accept ends only its own chain: a table of the user that drops forwarded packets must accept
// these too.
std::string table_body(const std::string& ifname, bool ipv6, const std::string& comment) {
  const std::string link = "\"" + ifname + "\"";
  const std::string family = ipv6 ? "" : "meta nfproto ipv4 ";
  return comment + "chain postrouting { type nat hook postrouting priority srcnat; " + family +
         "iifname " + link + " oifname != " + link + " masquerade; }; " +
         "chain forward { type filter hook forward priority filter; " + family + "iifname " + link +
         " accept; " + family + "oifname " + link + " accept; };";
}

}  // namespace

Forwarding::Forwarding(std::string own_table, bool ipv6) : own_table_(std::move(own_table)) {
  sysctls_.push_back({"ipv4", "ipv4/ip_forward", false});
  if (ipv6) sysctls_.push_back({"ipv6", "ipv6/conf/all/forwarding", false});
  for (Sysctl& each : sysctls_) {
    each.was_off = read_sysctl(each.path) == "0" || named_by_others(own_table_, each.family);
  }
}

std::string Forwarding::comment() const {
  std::string families;
  for (const Sysctl& each : sysctls_) {
    if (each.was_off) families += " " + each.family;
  }
  return families.empty() ? "" : "comment \"forwarding was off:" + families + "\"; ";
}

void Forwarding::switch_on() {
  switched_on_ = true;
  for (Sysctl& each : sysctls_) {
    if (read_sysctl(each.path) == "1") continue;
    write_sysctl(each.path, "1");
    each.was_off = true;  // another guardian may have switched it off since the constructor
  }
}

Forwarding::~Forwarding() {
  if (!switched_on_) return;
  for (const Sysctl& each : sysctls_) {
    try {
      if (!each.was_off || named_by_others(own_table_, each.family)) continue;
      if (read_sysctl(each.path) == "1") write_sysctl(each.path, "0");
    } catch (const SystemError& error) {
      log_warning(error.what());
    }
  }
}

Nat::Nat(const std::string& ifname, bool ipv6)
    : forwarding_(free_table_name(ifname), ipv6),
      table_(table_name(ifname), table_body(ifname, ipv6, forwarding_.comment())) {
  forwarding_.switch_on();
}

}  // namespace routevpn::host
