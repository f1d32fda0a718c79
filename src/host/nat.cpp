#include "nat.hpp"

#include <algorithm>
#include <utility>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "link_nftables.hpp"
#include "nft_table.hpp"
#include "sysctl.hpp"

namespace routevpn::host {

namespace {

// Below /proc/sys/net.
std::string sysctl_of(const std::string& family) {
  return family == "ipv4" ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
}

// Whether the comment of another guardian's table names the sysctl of this family.
bool named_by_others(const std::string& own_table, const std::string& family) {
  const auto tables = nft_tables();
  return std::any_of(tables.begin(), tables.end(), [&](const NftTableInfo& table) {
    return table.name != own_table && table.name.starts_with(link_nftables_prefix) &&
           table.comment.find(family) != std::string::npos;
  });
}

}  // namespace

// In postrouting, iifname is the interface by which a forwarded packet arrived (Linux 5.7). An
// accept ends only its own chain: a table of the user that drops forwarded packets must accept
// these too.
std::string nat_chains(const std::string& ifname, bool ipv6) {
  const std::string link = "\"" + ifname + "\"";
  const std::string family = ipv6 ? "" : "meta nfproto ipv4 ";
  return "chain postrouting { type nat hook postrouting priority srcnat; " + family + "iifname " +
         link + " oifname != " + link + " masquerade; }; " +
         "chain forward { type filter hook forward priority filter; " + family + "iifname " + link +
         " accept; " + family + "oifname " + link + " accept; };";
}

void switch_off_forwarding(const std::string& own_table, const std::vector<std::string>& families) {
  for (const std::string& family : families) {
    try {
      if (named_by_others(own_table, family)) continue;
      if (read_sysctl(sysctl_of(family)) == "1") write_sysctl(sysctl_of(family), "0");
    } catch (const SystemError& error) {
      log_warning(error.what());
    }
  }
}

Forwarding::Forwarding(std::string own_table, bool ipv6) : own_table_(std::move(own_table)) {
  sysctls_.push_back({"ipv4", false});
  if (ipv6) sysctls_.push_back({"ipv6", false});
  for (Sysctl& each : sysctls_) {
    each.was_off =
        read_sysctl(sysctl_of(each.family)) == "0" || named_by_others(own_table_, each.family);
  }
}

std::vector<std::string> Forwarding::were_off() const {
  std::vector<std::string> families;
  for (const Sysctl& each : sysctls_) {
    if (each.was_off) families.push_back(each.family);
  }
  return families;
}

std::string Forwarding::comment() const {
  std::string families;
  for (const std::string& family : were_off()) families.append(" ").append(family);
  return families.empty() ? "" : "comment \"forwarding was off:" + families + "\"; ";
}

void Forwarding::switch_on() {
  switched_on_ = true;
  for (Sysctl& each : sysctls_) {
    if (read_sysctl(sysctl_of(each.family)) == "1") continue;
    write_sysctl(sysctl_of(each.family), "1");
    each.was_off = true;  // another guardian may have switched it off since the constructor
  }
}

Forwarding::~Forwarding() {
  if (switched_on_) switch_off_forwarding(own_table_, were_off());
}

}  // namespace routevpn::host
