// The kernel's count of packets that `--accept routed` has dropped: a counter in the guardian's
// nftables table. The count starts at 0 with the table, and a super-packet counts as one packet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace routevpn::host {

class NetlinkSocket;

class RefusedSources {
 public:
  // In the calling thread's namespace. Throws SystemError.
  explicit RefusedSources(const std::string& ifname);
  ~RefusedSources();
  RefusedSources(RefusedSources&&) noexcept;

  // From any namespace, with CAP_NET_ADMIN. If the count cannot be read, it stays the same, and the
  // first failure is logged.
  std::uint64_t count();

 private:
  [[nodiscard]] std::uint64_t read();  // throws SystemError

  std::unique_ptr<NetlinkSocket> socket_;
  std::string table_;
  std::uint64_t last_ = 0;
  bool failed_ = false;
};

}  // namespace routevpn::host
