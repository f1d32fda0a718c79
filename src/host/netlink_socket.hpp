// A netlink socket for one request at a time, which keeps the kernel's error texts; additions that
// are undone; and polling of the kernel's tables.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

using NlMessage = Owned<nl_msg, nlmsg_free>;

// A request with its family header. Throws SystemError.
NlMessage new_message(int type, int flags, const void* header, std::size_t header_bytes);

// These append an attribute. They throw SystemError.
void put(const NlMessage& message, int type, const void* value, std::size_t bytes);
void put(const NlMessage& message, int type, const IpAddress& address);
template <std::integral Number>
void put(const NlMessage& message, int type, Number number) {
  put(message, type, &number, sizeof number);
}

struct KernelAnswer {
  int error_number = 0;  // 0: done
  std::string reason;    // the text of the number, and the kernel's own text if any

  explicit operator bool() const { return error_number == 0; }
};

class NetlinkSocket {
 public:
  // In the calling thread's namespace. `protocol` as in NETLINK_ROUTE. Throws SystemError.
  explicit NetlinkSocket(int protocol);

  KernelAnswer ask(const NlMessage& request);
  // All messages of a dump, as one consistent snapshot. Throws SystemError.
  std::vector<NlMessage> dump(const NlMessage& request);

 private:
  Owned<nl_sock, nl_socket_free> socket_;
};

// Rules and routes that were added in the namespace of the thread that constructed the object. The
// destructor removes them, the last one first, and logs what the kernel refuses.
class Additions {
 public:
  Additions() = default;  // throws SystemError
  ~Additions();

  // `removal` undoes `request`; `what` names the rule or route in the log.
  KernelAnswer add(const NlMessage& request, NlMessage removal, const std::string& what);
  NetlinkSocket& socket() { return socket_; }
  // The removals as netlink messages, in the order of their use.
  [[nodiscard]] std::string removals() const;

 private:
  struct Added {
    NlMessage removal;
    std::string what;
  };
  NetlinkSocket socket_{NETLINK_ROUTE};
  std::vector<Added> added_;
};

// Sends the messages of Additions::removals() in the calling thread's namespace. What does not
// exist any more is left out. Throws SystemError.
void remove_additions(std::string removals);

// After a crash and a quick restart, the guardian of the previous run may still be removing its
// table and rules. What still exists after this time belongs to another program.
inline constexpr std::chrono::milliseconds predecessor_grace{2000};

// Evaluates the condition every 5 ms; false if it is not true within the time.
bool poll_until(const std::function<bool()>& condition, std::chrono::milliseconds within);

}  // namespace routevpn::host
