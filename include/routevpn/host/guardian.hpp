// The guardian: a child process that sets up what would outlive a kill -9 of the link: the nftables
// table and forwarding sysctls of --nat, the policy rules of --fwmark and their fallback routes.
// When its pipe to the link's process closes, for whatever reason, it undoes all of that and exits.
// If nft ends, it does the same. If the guardian itself is killed, the link's process undoes it.
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

  // Readable once the guardian has ended. The link must end then: without the guardian's table,
  // inside addresses would leave unmasked.
  [[nodiscard]] int ended_fd() const { return ended_.get(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  // Once it has ended: undoes what a killed guardian has left in its namespace. Throws SystemError.
  void undo(const Netns& where);

 private:
  // What the guardian has set up and the kernel does not remove by itself.
  struct Leftovers {
    std::string nat_table;
    std::vector<std::string> forwarding;  // families to switch off
    std::string removals;                 // netlink messages
  };
  explicit Guardian(PipedChild process);
  [[nodiscard]] bool exited_by_itself() const;

  PipedChild process_;  // its destructor waits until the guardian has undone everything
  Fd ended_;            // pidfd_open(2)
  Leftovers leftovers_;
};

}  // namespace routevpn::host
