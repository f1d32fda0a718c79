#include "link_nftables.hpp"

#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"

#include "netlink_socket.hpp"
#include "source_filter.hpp"

namespace routevpn::host {

namespace {

// The option that error texts name.
std::string option_of(const GuardianDuties& duties) {
  return duties.routed_sources ? "--accept routed" : "--nat";
}

// The name is pasted into an nft command, so it must not contain nft syntax.
std::string free_table_name(const std::string& ifname, const std::string& option) {
  if (ifname.empty() || !std::all_of(ifname.begin(), ifname.end(), is_interface_character)) {
    throw UsageError(option + ": \"" + ifname +
                     "\" cannot name an nftables table: letters, digits, '_', '.' and '-' can");
  }
  std::string name = link_nftables_name(ifname);
  if (poll_until([&] { return !nft_table_exists(name); }, predecessor_grace)) return name;
  throw UsageError(option + ": nftables table inet " + name + " already exists");
}

std::string body_of(const std::string& ifname, const GuardianDuties& duties,
                    const std::optional<Forwarding>& forwarding) {
  std::string body = forwarding ? forwarding->comment() : "";
  if (duties.routed_sources) body += source_filter(ifname, duties.sources) + " ";
  if (duties.nat) body += nat_chains(ifname, duties.ipv6);
  return body;
}

}  // namespace

std::string link_nftables_name(const std::string& ifname) {
  return link_nftables_prefix + ifname;
}

LinkNftables::LinkNftables(const std::string& ifname, const GuardianDuties& duties)
    : LinkNftables(free_table_name(ifname, option_of(duties)), ifname, duties) {}

LinkNftables::LinkNftables(const std::string& name, const std::string& ifname,
                           const GuardianDuties& duties)
    : forwarding_(duties.nat ? std::make_optional<Forwarding>(name, duties.ipv6) : std::nullopt),
      table_(name, body_of(ifname, duties, forwarding_), option_of(duties)) {
  if (forwarding_) forwarding_->switch_on();
}

std::vector<std::string> LinkNftables::forwarding() const {
  return forwarding_ ? forwarding_->were_off() : std::vector<std::string>();
}

}  // namespace routevpn::host
