#include "routevpn/link/lane_control.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/datapath/mtu.hpp"

namespace routevpn::link {

namespace {

Fd open_eventfd() {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) throw system_error("eventfd");
  return fd;
}

}  // namespace

LaneControl::LaneControl(LaneOwner& owner, host::EventLoop& loop, session::SessionSettings settings,
                         std::shared_ptr<const dtls::Identity> identity, LaneEnds ends,
                         const std::atomic<unsigned>& mtu, bool serves_inside,
                         datapath::OuterClass outer_class, std::uint32_t mark)
    : owner_(owner),
      ends_(std::move(ends)),
      outer_class_(outer_class),
      mark_(mark),
      mailbox_wakeup_(open_eventfd()),
      session_(std::move(settings), std::move(identity), *this, control_drops_),
      loop_(mailbox_, counters_, ends_.tun, ends_.socket, mtu, mailbox_wakeup_.get(), outer_class),
      serves_inside_(serves_inside) {
  loop.watch(mailbox_wakeup_.get(), [this] { on_mailbox(); });
  loop.watch(resolver_.fd(), [this] { on_resolved(); });
}

LaneControl::~LaneControl() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void LaneControl::start(Time now) {
  thread_ = std::thread([this] { loop_.run(); });
  session_.start(now);
}

void LaneControl::serve_inside(bool on) {
  if (serves_inside_ == on) return;
  ends_.tun.attach(on);
  serves_inside_ = on;
}

SocketAddress LaneControl::local(const session::SessionStatus& status) const {
  SocketAddress local = ends_.socket.local();
  // Bound to every address, the one the peer uses tells more.
  if (status.association && status.association->endpoint.local) {
    local.address = *status.association->endpoint.local;
  }
  return local;
}

void LaneControl::on_mailbox() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(mailbox_wakeup_.get(), &count, sizeof count);
  for (int i = 0; i < handshakes_per_turn; ++i) {
    take_events();
    if (mailbox_.handshakes.empty()) return;
    take_handshake();
  }
  // Strangers may send more than can be worked off: signals and timers come in between.
  const std::uint64_t more = 1;
  [[maybe_unused]] const auto put = ::write(mailbox_wakeup_.get(), &more, sizeof more);
}

void LaneControl::on_timer(Time now) {
  take_events();  // what has happened comes before what has not
  if (const auto due = session_.deadline(); due && now >= *due) session_.on_timer(now);
}

void LaneControl::take_events() {
  while (const datapath::LaneEvent* const event = mailbox_.events.front()) {
    if (std::holds_alternative<datapath::InterfaceGone>(event->what)) owner_.interface_gone();
    // Anew for each: it may answer what the one before it has made us ask.
    session_.on_lane_event(*event, read_clock());
    mailbox_.events.release();
  }
}

void LaneControl::take_handshake() {
  try {
    session_.on_handshake(*mailbox_.handshakes.front(), read_clock());
  } catch (const SystemError& error) {  // no memory for it: the link in use goes on
    control_drops_.add(Drop::handshake_failed);
    log_error("handshake refused", {{"error", error.what()}});
  }
  mailbox_.handshakes.release();
}

void LaneControl::on_resolved() {
  const auto answer = resolver_.take();
  if (!answer) return;
  if (answer->addresses.empty()) {
    log_warning("the peer's name does not resolve",
                {{"name", answer->host}, {"error", answer->error}});
  }
  session_.on_resolved(answer->addresses, answer->host + ": " + answer->error, read_clock());
}

void LaneControl::send_handshake(ConstBytes datagram, const outside::Endpoint& to) {
  // A lost flight is repeated; there is nothing else to do about it here.
  if (ends_.socket.send_one(datagram, to, outer_class_.of_control()) ==
      outside::SendResult::failed) {
    control_drops_.add(Drop::outside_send_failed);
  }
}

void LaneControl::command(datapath::LaneCommand command) {
  datapath::LaneCommand* slot = mailbox_.commands.reserve();
  while (slot == nullptr) {  // the lane empties it within one turn
    loop_.wake();
    std::this_thread::yield();
    slot = mailbox_.commands.reserve();
  }
  *slot = std::move(command);
  mailbox_.commands.publish();
  loop_.wake();
}

void LaneControl::resolve(const session::PeerName& peer) {
  resolver_.ask(peer.host, peer.port);
}

void LaneControl::set_carrier(bool on) {
  wants_carrier_ = on;
  owner_.carrier_wanted(*this);
}

void LaneControl::state_changed(session::Phase phase, const session::Reason& reason) {
  owner_.state_changed(*this, phase, reason);
}

void LaneControl::handshake_failed(const SocketAddress& peer,
                                   const dtls::HandshakeFailure& failure) {
  owner_.handshake_failed(peer, failure);
}

Time LaneControl::last_heard() const {
  return counters_.last_heard.load(std::memory_order_relaxed);
}

outside::RouteMtu LaneControl::route_mtu(const SocketAddress& remote) const {
  // Of no route nothing is known; a datagram will tell.
  return outside::route_mtu(remote, mark_)
      .value_or(outside::RouteMtu{datapath::ethernet_mtu, datapath::ethernet_mtu});
}

std::uint64_t LaneControl::large_datagrams() const {
  return counters_.tx_large.load(std::memory_order_relaxed);
}

void LaneControl::path_mtu_changed(unsigned path_mtu, unsigned payload_bytes) {
  path_ = {path_mtu, payload_bytes};
  owner_.path_mtu_changed();
}

}  // namespace routevpn::link
