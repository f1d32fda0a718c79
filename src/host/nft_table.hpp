// nftables: the list of tables, and one table that exists as long as this process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routevpn/host/child_process.hpp"

namespace routevpn::host {

struct NftTableInfo {
  std::string name;
  std::string comment;
};

// NFPROTO_INET, the family of every table here. The kernel's header of it conflicts with libnl's.
inline constexpr std::uint8_t nft_family_inet = 1;

// Of family inet, in the calling thread's namespace. Throws SystemError.
std::vector<NftTableInfo> nft_tables();
bool nft_table_exists(const std::string& name);

// A table with `flags owner` (Linux 5.12): the kernel removes it when the netlink socket that made
// it closes, and refuses changes by others, also `flush ruleset`. The socket belongs to an `nft -i`
// that reads commands from our pipe and exits when the pipe is closed.
class NftTable {
 public:
  // `body`: the text between the table's braces, on one line, because a line is a transaction.
  // `option` asks for the table and begins each error text. Throws UsageError if there is no nft,
  // SystemError with nft's first line of error output.
  NftTable(const std::string& name, const std::string& body, const std::string& option);

  // nft's error output: hangs up if nft ends too early.
  [[nodiscard]] int errors_fd() const { return errors_.get(); }

 private:
  void wait_for_table(const std::string& name, const std::string& option);
  bool nft_failed();

  Fd errors_;
  std::string error_text_;
  PipedChild nft_;
};

}  // namespace routevpn::host
