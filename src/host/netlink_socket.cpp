#include "netlink_socket.hpp"

#include <cstring>
#include <system_error>
#include <thread>

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::host {

namespace {

constexpr int max_dump_attempts = 20;

void check(int result, const char* what) {
  if (result < 0) throw SystemError(std::string(what) + ": " + nl_geterror(result));
}

// The text of an extended acknowledgement: an attribute behind the error and the request's header.
std::string kernel_text(nlmsgerr* error) {
  const nlmsghdr* answer = reinterpret_cast<nlmsghdr*>(error) - 1;
  const std::size_t before = NLMSG_HDRLEN + sizeof(nlmsgerr);
  if ((answer->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || answer->nlmsg_len <= before) return {};
  auto* first = reinterpret_cast<nlattr*>(error + 1);
  const nlattr* message =
      nla_find(first, static_cast<int>(answer->nlmsg_len - before), NLMSGERR_ATTR_MSG);
  if (message == nullptr) return {};
  const auto* text = static_cast<const char*>(nla_data(message));
  return {text, strnlen(text, static_cast<std::size_t>(nla_len(message)))};
}

int on_error(sockaddr_nl* /*from*/, nlmsgerr* error, void* argument) {
  auto& answer = *static_cast<KernelAnswer*>(argument);
  answer.error_number = -error->error;
  answer.reason = std::generic_category().message(answer.error_number);
  if (const std::string text = kernel_text(error); !text.empty())
    answer.reason += " (" + text + ")";
  return NL_STOP;
}

int keep_message(nl_msg* message, void* argument) {
  nlmsg_get(message);
  static_cast<std::vector<NlMessage>*>(argument)->emplace_back(message);
  return NL_OK;
}

}  // namespace

NlMessage new_message(int type, int flags, const void* header, std::size_t header_bytes) {
  NlMessage message(nlmsg_alloc_simple(type, flags));
  // libnl only reads the header, although its signature is not const.
  if (!message ||
      nlmsg_append(message.get(), const_cast<void*>(header), header_bytes, NLMSG_ALIGNTO) != 0) {
    throw SystemError("netlink message: out of memory");
  }
  return message;
}

void put(const NlMessage& message, int type, const void* value, std::size_t bytes) {
  if (nla_put(message.get(), type, static_cast<int>(bytes), value) != 0) {
    throw SystemError("netlink message: out of memory");
  }
}

void put(const NlMessage& message, int type, const IpAddress& address) {
  put(message, type, address.bytes().data(), address.bits() / 8);
}

NetlinkSocket::NetlinkSocket(int protocol) : socket_(nl_socket_alloc()) {
  if (!socket_) throw SystemError("netlink socket: out of memory");
  check(nl_connect(socket_.get(), protocol), "netlink socket");
  // Optional: without these options the kernel sends no error texts.
  const int on = 1;
  const int fd = nl_socket_get_fd(socket_.get());
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
}

KernelAnswer NetlinkSocket::ask(const NlMessage& request) {
  KernelAnswer answer;
  nl_socket_modify_err_cb(socket_.get(), NL_CB_CUSTOM, on_error, &answer);
  int result = nl_send_auto(socket_.get(), request.get());
  if (result >= 0) result = nl_wait_for_ack(socket_.get());
  nl_socket_modify_err_cb(socket_.get(), NL_CB_DEFAULT, nullptr, nullptr);
  if (answer) check(result, "netlink");
  return answer;
}

std::vector<NlMessage> NetlinkSocket::dump(const NlMessage& request) {
  std::vector<NlMessage> messages;
  const Owned<nl_cb, nl_cb_put> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) throw SystemError("netlink: out of memory");
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, keep_message, &messages);
  nlmsghdr* header = nlmsg_hdr(request.get());
  header->nlmsg_flags |= NLM_F_DUMP;
  // Interrupted: the table changed during the dump, for example by another guardian.
  int result = -NLE_DUMP_INTR;
  for (int attempts = 0; result == -NLE_DUMP_INTR && attempts < max_dump_attempts; ++attempts) {
    messages.clear();
    header->nlmsg_seq = NL_AUTO_SEQ;
    check(nl_send_auto(socket_.get(), request.get()), "netlink");
    result = nl_recvmsgs(socket_.get(), callbacks.get());
  }
  check(result, "netlink");
  return messages;
}

KernelAnswer Additions::add(const NlMessage& request, NlMessage removal, const std::string& what) {
  auto answer = socket_.ask(request);
  if (answer) added_.push_back({std::move(removal), what});
  return answer;
}

Additions::~Additions() {
  for (; !added_.empty(); added_.pop_back()) {
    const auto& [removal, what] = added_.back();
    const auto answer = socket_.ask(removal);
    if (!answer) log_warning(what + " was not removed: " + answer.reason);
  }
}

std::string Additions::removals() const {
  std::string messages;
  for (auto added = added_.rbegin(); added != added_.rend(); ++added) {
    const nlmsghdr* const message = nlmsg_hdr(added->removal.get());
    const std::size_t padded = NLMSG_ALIGN(message->nlmsg_len);
    messages.append(reinterpret_cast<const char*>(message), message->nlmsg_len);
    messages.append(padded - message->nlmsg_len, '\0');
  }
  return messages;
}

void remove_additions(std::string removals) {
  NetlinkSocket socket(NETLINK_ROUTE);
  auto* header = reinterpret_cast<nlmsghdr*>(removals.data());
  int rest = static_cast<int>(removals.size());
  for (; nlmsg_ok(header, rest) != 0; header = nlmsg_next(header, &rest)) {
    const NlMessage message(nlmsg_convert(header));
    if (!message) throw SystemError("netlink message: out of memory");
    socket.ask(message);
  }
}

bool poll_until(const std::function<bool()>& condition, std::chrono::milliseconds within) {
  constexpr std::chrono::milliseconds pause{5};
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace routevpn::host
