#include "backstop_routes.hpp"

#include <cerrno>

#include <linux/rtnetlink.h>

#include "routevpn/base/error.hpp"

namespace routevpn::host {

namespace {

constexpr std::uint32_t worst_metric = 0xffffffff;

NlMessage request_for(int type, int flags, std::uint32_t table, const IpPrefix& prefix) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(prefix.address.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(prefix.length);
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNREACHABLE;
  NlMessage message = new_message(type, flags, &header, sizeof header);
  put(message, RTA_DST, prefix.network().address);
  put(message, RTA_TABLE, table);
  put(message, RTA_PRIORITY, worst_metric);
  return message;
}

}  // namespace

void add_backstop_routes(Additions& additions, std::uint32_t table,
                         const std::vector<IpPrefix>& prefixes) {
  for (const IpPrefix& prefix : prefixes) {
    const std::string what =
        "route unreachable " + prefix.network().to_string() + " table " + std::to_string(table);
    KernelAnswer answer;
    poll_until(
        [&] {
          answer =
              additions.add(request_for(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, table, prefix),
                            request_for(RTM_DELROUTE, 0, table, prefix), what);
          return answer.error_number != EEXIST;
        },
        predecessor_grace);
    if (answer.error_number == EEXIST) throw UsageError("--route: " + what + " already exists");
    if (!answer) throw SystemError("--route: " + what + ": " + answer.reason);
  }
}

}  // namespace routevpn::host
