#include "backstop_routes.hpp"

#include <cerrno>

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::host {

namespace {

constexpr std::uint32_t worst_metric = 0xffffffff;

NlMessage request_for(int type, int flags, std::uint32_t table, const IpPrefix& prefix) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(prefix.address.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(prefix.length);
  header.rtm_table = RT_TABLE_UNSPEC;  // RTA_TABLE has it
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNREACHABLE;
  NlMessage message = new_message(type, flags, &header, sizeof header);
  const int bytes = static_cast<int>(prefix.address.bits() / 8);
  int failed = nla_put(message.get(), RTA_DST, bytes, prefix.network().address.bytes().data());
  failed |= nla_put_u32(message.get(), RTA_TABLE, table);
  failed |= nla_put_u32(message.get(), RTA_PRIORITY, worst_metric);
  if (failed != 0) throw SystemError("netlink message: no room for a route");
  return message;
}

std::string to_string(const IpPrefix& prefix, std::uint32_t table) {
  return "route unreachable " + prefix.network().to_string() + " table " + std::to_string(table);
}

}  // namespace

BackstopRoutes::BackstopRoutes(std::uint32_t table, const std::vector<IpPrefix>& prefixes)
    : socket_(NETLINK_ROUTE), table_(table) {
  for (const IpPrefix& prefix : prefixes) {
    KernelAnswer answer;
    poll_until(
        [&] {
          answer =
              socket_.ask(request_for(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, table_, prefix));
          return answer.error_number != EEXIST;
        },
        predecessor_grace);
    if (answer) {
      added_.push_back(prefix);
      continue;
    }
    remove_all();
    const std::string text = "--route: " + to_string(prefix, table_);
    if (answer.error_number == EEXIST) throw UsageError(text + " already exists");
    throw SystemError(text + ": " + answer.reason);
  }
}

BackstopRoutes::~BackstopRoutes() {
  remove_all();
}

void BackstopRoutes::remove_all() {
  for (; !added_.empty(); added_.pop_back()) {
    const auto answer = socket_.ask(request_for(RTM_DELROUTE, 0, table_, added_.back()));
    if (!answer) {
      log_warning(to_string(added_.back(), table_) + " was not removed: " + answer.reason);
    }
  }
}

}  // namespace routevpn::host
