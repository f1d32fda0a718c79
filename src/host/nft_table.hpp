// nftables: what tables there are, and one that lives as long as this process.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

struct NftTableInfo {
  std::string name;
  std::string comment;
};

// Of family inet, in the calling thread's namespace. Throws SystemError.
std::vector<NftTableInfo> nft_tables();

// A table with `flags owner` (Linux 5.12): the kernel drops it when the netlink socket that made it
// closes, and lets nobody else change it, not even by `flush ruleset`. That socket belongs to an
// `nft -i` which reads from a pipe that only we hold: nft ends when the pipe does.
class NftTable {
 public:
  // `body` is what stands between the table's braces, on one line: one line is one transaction.
  // Throws UsageError when there is no nft, SystemError with nft's first line of complaint.
  NftTable(const std::string& name, const std::string& body);
  ~NftTable();
  NftTable(const NftTable&) = delete;
  NftTable& operator=(const NftTable&) = delete;

  // Readable at its end only when nft has ended before its time.
  [[nodiscard]] int complaints_fd() const { return complaints_.get(); }

 private:
  void start_nft();
  void wait_for_table(const std::string& name);
  bool complained();
  void stop_nft();

  Fd commands_;
  Fd complaints_;
  std::string complaint_;
  pid_t nft_ = -1;
};

}  // namespace routevpn::host
