#include "nat.hpp"

#include <algorithm>
#include <utility>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "patience.hpp"
#include "sysctl.hpp"

namespace routevpn::host {

namespace {

constexpr const char* table_prefix = "routevpn-";

bool has_table(const std::vector<NftTableInfo>& tables, const std::string& name) {
  return std::any_of(tables.begin(), tables.end(),
                     [&](const NftTableInfo& table) { return table.name == name; });
}

// Another guardian's table says that it owes the switch of this family.
bool owed_by_others(const std::string& own_table, const std::string& family) {
  const auto tables = nft_tables();
  return std::any_of(tables.begin(), tables.end(), [&](const NftTableInfo& table) {
    return table.name != own_table && table.name.starts_with(table_prefix) &&
           table.comment.find(family) != std::string::npos;
  });
}

// The interface's name becomes part of nft's language.
std::string table_name(const std::string& ifname) {
  const bool plain = ifname.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789_.-") == std::string::npos;
  if (ifname.empty() || !plain) {
    throw UsageError("--nat: \"" + ifname +
                     "\" cannot name an nftables table: letters, digits, '_', '.' and '-' can");
  }
  return table_prefix + ifname;
}

std::string free_table_name(const std::string& ifname) {
  std::string name = table_name(ifname);
  if (comes_true([&] { return !has_table(nft_tables(), name); }, predecessor_grace)) return name;
  throw UsageError("--nat: nftables table inet " + name + " is there already");
}

// In postrouting iifname is the interface a forwarded packet came in by (Linux 5.7). The forward
// chain says what is meant, but an accept ends only its own chain: where another table drops what
// is forwarded, that table has to let these packets pass.
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
  switches_.push_back({"ipv4", "ipv4/ip_forward", false});
  if (ipv6) switches_.push_back({"ipv6", "ipv6/conf/all/forwarding", false});
  for (Switch& each : switches_) {
    each.owed = read_sysctl(each.path) == "0" || owed_by_others(own_table_, each.family);
  }
}

std::string Forwarding::comment() const {
  std::string families;
  for (const Switch& each : switches_) {
    if (each.owed) families += " " + each.family;
  }
  return families.empty() ? "" : "comment \"forwarding was off:" + families + "\"; ";
}

void Forwarding::switch_on() {
  switched_on_ = true;
  for (Switch& each : switches_) {
    if (read_sysctl(each.path) == "1") continue;
    write_sysctl(each.path, "1");
    each.owed = true;  // also when the last of the others has put it back since we looked
  }
}

Forwarding::~Forwarding() {
  if (!switched_on_) return;
  for (const Switch& each : switches_) {
    try {
      if (!each.owed || owed_by_others(own_table_, each.family)) continue;
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
