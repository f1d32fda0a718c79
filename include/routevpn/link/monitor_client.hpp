// The worker's end of its pair with the monitor: what the link has done for it. Only the control
// thread uses it. Without a monitor the worker has no purpose, so the process exits when the
// monitor's end is closed. It also exits, with a log line, at every other error of the pair.
#pragma once

#include <deque>
#include <span>

#include "routevpn/channel/channel.hpp"
#include "routevpn/signer/sign_request.hpp"

namespace routevpn::link {

class MonitorClient {
 public:
  explicit MonitorClient(channel::Channel channel) : channel_(std::move(channel)) {}

  [[nodiscard]] int fd() const { return channel_.fd(); }  // readable when next() has a message
  // next() has a message that came while an answer was waited for.
  [[nodiscard]] bool has_later() const { return !later_.empty(); }
  bool next(channel::Message& message);
  channel::Message wait_for_next();

  // Sends a message that has no answer, or one that comes later.
  template <typename T>
  void tell(const T& message) const {
    if (channel_.send(message, true) != channel::SendResult::ok) end();
  }

  // These wait for the monitor's answer, which takes about 30 us.
  void set_carrier(bool on);
  unsigned set_mtu(unsigned bytes);  // the interface's MTU afterwards
  // `key`: of the credentials, as Start and Reload count them. 0: the monitor refuses.
  std::size_t sign(std::uint8_t key, const signer::SignRequest& request,
                   std::span<std::uint8_t> signature);

 private:
  template <typename Answer>
  Answer answer();
  [[noreturn]] static void end();

  channel::Channel channel_;
  std::deque<channel::Message> later_;  // came while another message was waited for
};

}  // namespace routevpn::link
