// The last address of an acceptor's peer, for each lane, in a file that survives a restart of the
// link. The file decides only which address has places of its own among handshakes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::monitor {

class LastPeers {
 public:
  // Reads DIRECTORY/LINK.peers. A file with other content is ignored with a log line.
  LastPeers(const std::string& directory, const std::string& link, std::size_t lanes);

  [[nodiscard]] const std::optional<IpAddress>& of(std::size_t lane) const { return peers_[lane]; }
  // Writes the file if the address is new. A failure is logged.
  void remember(std::size_t lane, const IpAddress& address);

 private:
  void read();

  std::string path_;
  std::vector<std::optional<IpAddress>> peers_;  // one line of the file each; "-": none
};

}  // namespace routevpn::monitor
