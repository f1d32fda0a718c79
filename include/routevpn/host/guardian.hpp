// The guardian: a child process that sets up what would outlive a kill -9 of the monitor: the
// nftables table of --nat and `--accept routed`, the forwarding sysctls of --nat, the policy rules
// of --fwmark and their fallback routes. When its pipe to the monitor closes, for whatever reason,
// the guardian undoes all of that and exits. If nft ends, the guardian does the same. If the
// guardian is killed, the monitor undoes its work. The guardian starts in two steps, because a
// forked process has a copy of the monitor's memory: the fork comes before the private key is in
// memory, and the work once the interface exists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/host/child_process.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::host {

struct GuardianDuties {
  bool nat = false;          // masquerade and forward packets from the link
  std::uint32_t fwmark = 0;  // with table: rules that send unmarked traffic to the table
  std::uint32_t table = 0;
  std::vector<IpPrefix> routes{};  // with fwmark and table: unreachable while the link is down
  bool ipv4 = false;               // families of the link's addresses and routes
  bool ipv6 = false;
  bool routed_sources = false;      // drop packets from the link whose source is not routed to it
  std::vector<IpPrefix> sources{};  // with routed_sources: accepted, too
  [[nodiscard]] bool any() const { return nat || routed_sources || (fwmark != 0 && table != 0); }
};

class Guardian {
 public:
  // What the guardian has set up and the kernel does not remove by itself.
  struct Leftovers {
    std::string table;
    std::vector<std::string> forwarding;  // families to switch off
    std::string removals;                 // netlink messages

    template <typename Io>
    friend void fields(Io& io, Leftovers& leftovers) {
      io(leftovers.table, leftovers.forwarding, leftovers.removals);
    }
  };
  // Starts the guardian, which enters this namespace and waits. Call before any thread is started,
  // because it forks. Until begin() the guardian changes nothing, and exits when this object is
  // destroyed or the monitor ends. Throws SystemError.
  static Guardian fork_early(const GuardianDuties& duties, const Netns& where);
  // The guardian of a monitor before this one, which has set up everything. `pipe` and `ended`: as
  // pipe_fd() and ended_fd() there. Throws SystemError.
  static Guardian adopt(pid_t pid, Fd pipe, Fd ended, Leftovers leftovers);
  // Waits until the guardian has set up everything for the interface of this name. Call once.
  // Throws UsageError if nft is missing or the same table or rule exists, SystemError otherwise;
  // then nothing remains set up. SIGPIPE must be ignored.
  void begin(const std::string& ifname);

  // Readable once the guardian has ended. The link must end then: without the guardian's table,
  // inside addresses would leave unmasked, or every inner source would be accepted.
  [[nodiscard]] int ended_fd() const { return ended_.get(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }  // for tests
  // Once it has ended: undoes what a killed guardian has left in its namespace. Throws SystemError.
  void undo(const Netns& where);

  // The guardian goes on when this object is destroyed, as long as the pipe has another copy.
  void release() { process_.release(); }
  [[nodiscard]] int pipe_fd() const { return process_.pipe(); }
  [[nodiscard]] const Leftovers& leftovers() const { return leftovers_; }

 private:
  Guardian(PipedChild process, Fd ended, Fd report);
  [[nodiscard]] bool exited_by_itself() const;

  PipedChild process_;  // its destructor waits until the guardian has undone everything
  Fd ended_;            // pidfd_open(2)
  Fd report_;           // read end of the guardian's report
  Leftovers leftovers_;
};

}  // namespace routevpn::host
