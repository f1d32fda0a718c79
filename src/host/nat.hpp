// --nat: forwards packets from the link and masquerades them on the other interfaces.
#pragma once

#include <string>
#include <vector>

namespace routevpn::host {

// The chains of a link's table. `ipv6`: also for packets of IPv6.
std::string nat_chains(const std::string& ifname, bool ipv6);

// Switches the forwarding sysctls of these families (ipv4, ipv6) off, except those that the comment
// of another guardian's table names. Logs failures.
void switch_off_forwarding(const std::string& own_table, const std::vector<std::string>& families);

// The namespace's forwarding sysctls, shared by the guardians of several links. The comment of a
// guardian's table names the sysctls that were off before the first guardian. A sysctl is switched
// off again by the last guardian whose comment names it.
class Forwarding {
 public:
  // Only reads. Throws SystemError.
  Forwarding(std::string own_table, bool ipv6);
  ~Forwarding();  // only after the own table has been removed
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;

  [[nodiscard]] std::string comment() const;
  // The families whose sysctl was off before the first guardian.
  [[nodiscard]] std::vector<std::string> were_off() const;
  void switch_on();  // only once the own table has the comment; throws SystemError

 private:
  struct Sysctl {
    std::string family;
    bool was_off;  // before the first guardian
  };
  std::string own_table_;
  std::vector<Sysctl> sysctls_;
  bool switched_on_ = false;
};

}  // namespace routevpn::host
