#include "routevpn/host/refused_sources.hpp"

#include <array>

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "link_nftables.hpp"
#include "netlink_socket.hpp"
#include "nft_table.hpp"
#include "source_filter.hpp"

namespace routevpn::host {

RefusedSources::RefusedSources(const std::string& ifname)
    : socket_(std::make_unique<NetlinkSocket>(NETLINK_NETFILTER)),
      table_(link_nftables_name(ifname)) {}
RefusedSources::~RefusedSources() = default;
RefusedSources::RefusedSources(RefusedSources&&) noexcept = default;

std::uint64_t RefusedSources::count() {
  try {
    last_ = read();
  } catch (const SystemError& error) {
    if (!failed_) {
      log_warning("the packets that --accept routed refuses are not counted",
                  {{"error", error.what()}});
    }
    failed_ = true;
  }
  return last_;
}

// The dump has the counters of this table only (NFTA_OBJ_TABLE).
std::uint64_t RefusedSources::read() {
  const nfgenmsg header{.nfgen_family = nft_family_inet, .version = NFNETLINK_V0, .res_id = 0};
  const int type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ;
  const auto request = new_message(type, 0, &header, sizeof header);
  put(request, NFTA_OBJ_TABLE, table_.c_str(), table_.size() + 1);
  for (const NlMessage& message : socket_->dump(request)) {
    std::array<nlattr*, NFTA_OBJ_MAX + 1> at{};
    nlmsg_parse(nlmsg_hdr(message.get()), sizeof(nfgenmsg), at.data(), NFTA_OBJ_MAX, nullptr);
    const bool is_counter =
        at[NFTA_OBJ_NAME] != nullptr && at[NFTA_OBJ_DATA] != nullptr &&
        nla_get_string(at[NFTA_OBJ_NAME]) == std::string(refused_sources_counter);
    if (!is_counter) continue;
    std::array<nlattr*, NFTA_COUNTER_MAX + 1> fields{};
    nla_parse_nested(fields.data(), NFTA_COUNTER_MAX, at[NFTA_OBJ_DATA], nullptr);
    if (fields[NFTA_COUNTER_PACKETS] != nullptr) {
      return be64toh(nla_get_u64(fields[NFTA_COUNTER_PACKETS]));
    }
  }
  throw SystemError("nftables table " + table_ + " has no counter " + refused_sources_counter);
}

}  // namespace routevpn::host
