// What must not outlive the link but would survive its kill -9: the nftables table of --nat, the
// forwarding switches it needed, the policy rules of --fwmark and the routes behind them. A child
// process holds them; it ends, and undoes them, when the pipe to it closes, whatever the reason.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::host {

struct GuardianDuties {
  std::string ifname;
  bool nat = false;          // masquerade and forward what comes out of the link
  std::uint32_t fwmark = 0;  // with table: rules that send unmarked traffic to the table
  std::uint32_t table = 0;
  std::vector<IpPrefix> routes{};  // with fwmark and table: unreachable while the link is down
  bool ipv4 = false;               // families of the link's addresses and routes
  bool ipv6 = false;
  [[nodiscard]] bool any() const { return nat || (fwmark != 0 && table != 0); }
};

class Guardian {
 public:
  // Starts it in this namespace and waits until its duties are done; call before any thread is
  // started. Throws UsageError when nft is missing or the same table or rule is there already,
  // SystemError otherwise; nothing is then left behind.
  static Guardian start(const GuardianDuties& duties, const Netns& where);
  Guardian(Guardian&&) noexcept = default;
  ~Guardian();  // undoes, and waits for it

 private:
  Guardian(pid_t pid, Fd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
  pid_t pid_;
  Fd pipe_;
};

}  // namespace routevpn::host
