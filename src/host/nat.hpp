// --nat: what comes out of the link is forwarded, and leaves by other interfaces under their own
// addresses.
#pragma once

#include <string>
#include <vector>

#include "nft_table.hpp"

namespace routevpn::host {

// The namespace's forwarding switches. Several links' guardians share them: the comment of a
// guardian's table names the switches it owes the namespace, and whoever is the last to have a
// switch in its comment puts it back.
class Forwarding {
 public:
  // Only looks. Throws SystemError.
  Forwarding(std::string own_table, bool ipv6);
  ~Forwarding();  // after the own table has gone
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;

  [[nodiscard]] std::string comment() const;
  void switch_on();  // once the own table shows the comment; throws SystemError

 private:
  struct Switch {
    std::string family;
    std::string path;  // below /proc/sys/net
    bool owed;         // it was off before the first of us came
  };
  std::string own_table_;
  std::vector<Switch> switches_;
  bool switched_on_ = false;
};

class Nat {
 public:
  // In the calling thread's namespace. Throws UsageError when nft is missing or the table is there
  // already, SystemError otherwise; nothing is then left behind.
  Nat(const std::string& ifname, bool ipv6);

  [[nodiscard]] const NftTable& table() const { return table_; }

 private:
  Forwarding forwarding_;
  NftTable table_;  // goes first
};

}  // namespace routevpn::host
