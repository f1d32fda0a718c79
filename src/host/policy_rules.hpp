// Routing policy rules that send everything but the link's own outer packets to the link's table:
//
//   from all lookup main suppress_prefixlength 0     what main knows better than by default route
//   not from all fwmark MARK lookup TABLE            all else, if not marked as ours
//
// They stand right before all other rules but that of the table local.
#pragma once

#include <cstdint>
#include <vector>

#include "netlink_socket.hpp"

namespace routevpn::host {

struct PolicyRule {
  std::uint8_t family = 0;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  std::uint32_t fwmark = 0;       // inverted; 0: any packet
  bool suppress_default = false;  // a default route found in the table does not count
};

class PolicyRules {
 public:
  // In the calling thread's namespace. Throws UsageError when such a rule is there already,
  // SystemError otherwise; no rule is then left behind.
  PolicyRules(std::uint32_t fwmark, std::uint32_t table, bool ipv4, bool ipv6);
  ~PolicyRules();
  PolicyRules(const PolicyRules&) = delete;
  PolicyRules& operator=(const PolicyRules&) = delete;

 private:
  void add(const PolicyRule& rule);
  void add_family(std::uint8_t family, std::uint32_t fwmark, std::uint32_t table);
  void remove_all();

  NetlinkSocket socket_;
  std::vector<PolicyRule> added_;
};

}  // namespace routevpn::host
