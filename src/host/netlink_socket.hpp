// A netlink socket on which the kernel is asked one thing at a time, and its own words for a
// refusal are kept.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

using NlMessage = Owned<nl_msg, nlmsg_free>;

// A request with its family header; throws SystemError when there is no memory for it.
NlMessage new_message(int type, int flags, const void* header, std::size_t header_bytes);

struct KernelAnswer {
  int error_number = 0;  // 0: done
  std::string reason;    // what the kernel said of it, or the text of the number

  explicit operator bool() const { return error_number == 0; }
};

class NetlinkSocket {
 public:
  // In the calling thread's namespace. `protocol` as in NETLINK_ROUTE. Throws SystemError.
  explicit NetlinkSocket(int protocol);

  KernelAnswer ask(const NlMessage& request);
  // Every message of the kernel's answer to a dump request, all of one moment. Throws SystemError.
  std::vector<NlMessage> dump(const NlMessage& request);
  nl_sock* get() { return socket_.get(); }

 private:
  Owned<nl_sock, nl_socket_free> socket_;
};

}  // namespace routevpn::host
