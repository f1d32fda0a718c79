// The guardian: a child process that sets up what would outlive a kill -9 of the link: the nftables
// table and forwarding sysctls of --nat, the policy rules of --fwmark and their fallback routes.
// When its pipe to the link's process closes, for whatever reason, it undoes all of that and exits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/host/child_process.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::host {

struct GuardianDuties {
  std::string ifname;
  bool nat = false;          // masquerade and forward packets from the link
  std::uint32_t fwmark = 0;  // with table: rules that send unmarked traffic to the table
  std::uint32_t table = 0;
  std::vector<IpPrefix> routes{};  // with fwmark and table: unreachable while the link is down
  bool ipv4 = false;               // families of the link's addresses and routes
  bool ipv6 = false;
  [[nodiscard]] bool any() const { return nat || (fwmark != 0 && table != 0); }
};

class Guardian {
 public:
  // Starts the guardian in this namespace and waits until everything is set up. Call before any
  // thread is started, because it forks. Throws UsageError if nft is missing or the same table or
  // rule exists, SystemError otherwise; then nothing remains set up.
  static Guardian start(const GuardianDuties& duties, const Netns& where);

 private:
  explicit Guardian(PipedChild process) : process_(std::move(process)) {}
  PipedChild process_;  // its destructor waits until the guardian has undone everything
};

}  // namespace routevpn::host
