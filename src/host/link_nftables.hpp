// The nftables table of a link: NAT, the check of inner sources, or both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "routevpn/host/guardian.hpp"

#include "nat.hpp"
#include "nft_table.hpp"

namespace routevpn::host {

// The name of a table: this and the name of the interface.
inline constexpr const char* link_nftables_prefix = "routevpn-";
std::string link_nftables_name(const std::string& ifname);

class LinkNftables {
 public:
  // In the calling thread's namespace. Throws UsageError if nft is missing or the table exists,
  // SystemError otherwise; then nothing remains set up.
  LinkNftables(const std::string& ifname, const GuardianDuties& duties);

  // nft's error output: hangs up if nft ends too early.
  [[nodiscard]] int errors_fd() const { return table_.errors_fd(); }
  // The families whose forwarding is to be switched off again.
  [[nodiscard]] std::vector<std::string> forwarding() const;

 private:
  LinkNftables(const std::string& name, const std::string& ifname, const GuardianDuties& duties);

  std::optional<Forwarding> forwarding_;
  NftTable table_;  // destroyed first
};

}  // namespace routevpn::host
