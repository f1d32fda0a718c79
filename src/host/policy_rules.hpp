// Routing policy rules that send all but the link's own outer packets to the link's table:
//
//   from all lookup main suppress_prefixlength 0     routes of main, except its default route
//   not from all fwmark MARK lookup TABLE            all other packets without the mark
//
// They come directly before all other rules except that of table local.
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
  bool suppress_default = false;  // ignore a default route of the table
};

class PolicyRules {
 public:
  // In the calling thread's namespace. Throws UsageError if such a rule exists, SystemError
  // otherwise; then no rule remains.
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
