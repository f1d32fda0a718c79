#include "routevpn/link/lane_control.hpp"

#include <cerrno>

#include <sys/eventfd.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/overloaded.hpp"
#include "routevpn/datapath/mtu.hpp"

namespace routevpn::link {

namespace {

Fd open_eventfd() {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) throw system_error("eventfd");
  return fd;
}

}  // namespace

LaneControl::LaneControl(session::SessionSettings settings,
                         std::shared_ptr<const dtls::Identity> identity, datapath::LaneEnds ends,
                         const outside::RouteProbe& route_probe, const std::atomic<unsigned>& mtu,
                         bool serves_inside, const datapath::LanePolicy& policy)
    : ends_(std::move(ends)),
      outer_class_(policy.outer_class),
      route_probe_(route_probe),
      mailbox_wakeup_(open_eventfd()),
      session_(std::move(settings), std::move(identity), counters_, control_drops_),
      loop_(mailbox_, counters_, ends_, mtu, mailbox_wakeup_.get(), policy),
      serves_inside_(serves_inside) {}

LaneControl::~LaneControl() {
  end_threads();
}

void LaneControl::end_threads() {
  loop_.stop();
  release();
  for (std::thread* const thread : {&thread_, &second_thread_}) {
    if (thread->joinable()) thread->join();
  }
}

void LaneControl::release() {
  released_.store(true);
  released_.notify_all();
}

void LaneControl::start_threads(const std::function<void()>& confine) {
  thread_ = std::thread([this, confine] {
    confine();
    released_.wait(false);
    loop_.run();
  });
  if (!loop_.has_second()) return;
  second_thread_ = std::thread([this, confine] {
    confine();
    released_.wait(false);
    loop_.run_second();
  });
}

void LaneControl::start(Time now) {
  tell_wall_clock(now);
  session_.start(now);
}

void LaneControl::acknowledge() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(mailbox_wakeup_.get(), &count, sizeof count);
}

void LaneControl::wake_again() const {
  const std::uint64_t more = 1;
  [[maybe_unused]] const auto put = ::write(mailbox_wakeup_.get(), &more, sizeof more);
}

bool LaneControl::take_event() {
  const auto* const event = mailbox_.events.front();
  if (event == nullptr) return false;
  interface_gone_ = interface_gone_ || std::holds_alternative<datapath::InterfaceGone>(event->what);
  // The clock is read for each event: it may answer what the event before it made us ask.
  session_.on_lane_event(*event, read_clock());
  mailbox_.events.release();
  return true;
}

bool LaneControl::take_handshake() {
  if (mailbox_.handshakes.empty()) return false;
  tell_wall_clock(read_clock());
  try {
    session_.on_handshake(*mailbox_.handshakes.front(), read_clock());
  } catch (const SystemError& error) {  // no memory: the association in use stays
    control_drops_.add(Drop::handshake_failed);
    log_error("handshake refused", {{"error", error.what()}});
  }
  mailbox_.handshakes.release();
  return true;
}

void LaneControl::tell_wall_clock(Time now) {
  session_.on_wall_clock(std::chrono::system_clock::now(), now);
}

void LaneControl::accept_sources(datapath::PrefixSet sources) {
  command(datapath::AcceptSources{std::make_shared<datapath::PrefixSet>(std::move(sources))});
}

void LaneControl::resolved(std::vector<SocketAddress> addresses, const std::string& error) {
  if (!asked_) return;
  const auto peer = *std::exchange(asked_, std::nullopt);
  for (auto& address : addresses) address.port = peer.port;
  if (addresses.empty()) {
    log_warning("the peer's name does not resolve", {{"name", peer.host}, {"error", error}});
  }
  session_.on_resolved(addresses, peer.host + ": " + error, read_clock());
}

void LaneControl::on_timer(Time now) {
  if (const auto due = session_.deadline(); due && now >= *due) session_.on_timer(now);
}

std::optional<LaneControl::Report> LaneControl::next_report() {
  if (std::exchange(interface_gone_, false)) return datapath::InterfaceGone{};
  std::optional<Report> report;
  while (!report) {
    auto output = session_.take_output(read_clock());
    if (!output) break;
    std::visit(Overloaded{
                   [&](const session::SendHandshake& flight) { send_handshake(flight); },
                   [&](datapath::LaneCommand& wanted) { command(std::move(wanted)); },
                   [&](session::Resolve& name) {
                     if (asked_) return;  // the answer is under way
                     asked_ = name.peer;
                     if (const auto address = IpAddress::parse(name.peer.host)) {
                       resolved({{*address}}, "");
                     } else {
                       report = std::move(name);
                     }
                   },
                   [&](const session::LookUpRoute& path) {
                     // Without a route nothing is known; the first datagram will fail and tell.
                     const auto route = route_probe_.look_up(path.remote)
                                            .value_or(outside::RouteMtu{datapath::ethernet_mtu,
                                                                        datapath::ethernet_mtu});
                     session_.on_route(path.remote, route, read_clock());
                   },
                   [&](session::CarrierOn on) {
                     wants_carrier_ = true;
                     report = on;
                   },
                   [&](session::CarrierOff off) {
                     wants_carrier_ = false;
                     report = off;
                   },
                   [&](const session::PathMtuChanged& path) { report = *(path_ = path); },
                   [&](const session::PeerRemembered& peer) { report = peer; },
                   [&](const session::ConnectSparse& flow) {
                     if (ends_.sparse) static_cast<void>(ends_.sparse->connect_to(flow.remote));
                   },
                   [&](const session::KeepGasp& gasp) { report = gasp; },
                   [&](session::TakenOver& taken) { report = std::move(taken); },
                   [&](session::StateChanged& changed) { report = std::move(changed); },
                   [&](session::HandshakeFailed& failed) { report = std::move(failed); },
               },
               *output);
  }
  return report;
}

void LaneControl::send_handshake(const session::SendHandshake& flight) {
  // A lost flight is retransmitted.
  if (ends_.socket.send_one(flight.datagram, flight.to, outer_class_.of_control()) !=
      outside::SendResult::failed) {
    return;
  }
  const int error = errno;
  counters_.send_error.store(error, std::memory_order_relaxed);
  control_drops_.add(Drop::outside_send_failed);
  session_.on_undelivered({flight.to.remote, error, std::nullopt, false}, read_clock());
}

void LaneControl::command(datapath::LaneCommand command) {
  datapath::LaneCommand* slot = mailbox_.commands.reserve();
  while (slot == nullptr) {
    if (thread_.joinable()) {  // the lane empties the ring within one turn
      loop_.wake();
      std::this_thread::yield();
    } else {
      loop_.finish();
    }
    slot = mailbox_.commands.reserve();
  }
  *slot = std::move(command);
  mailbox_.commands.publish();
  loop_.wake();
}

void LaneControl::serve_inside(bool on) {
  if (serves_inside_ == on) return;
  ends_.tun.attach(on);
  serves_inside_ = on;
}

SocketAddress LaneControl::local(const session::SessionStatus& status) const {
  SocketAddress local = ends_.socket.local();
  // If the socket is bound to every address, show the one that the peer uses.
  if (status.association && status.association->endpoint.local) {
    local.address = *status.association->endpoint.local;
  }
  return local;
}

SocketAddress LaneControl::sparse_local(const session::SessionStatus& status) const {
  SocketAddress address = local(status);
  if (ends_.sparse) address.port = ends_.sparse->local().port;
  return address;
}

}  // namespace routevpn::link
