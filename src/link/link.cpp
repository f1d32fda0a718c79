#include "routevpn/link/link.hpp"

#include <algorithm>
#include <barrier>
#include <random>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/overloaded.hpp"
#include "routevpn/cage/system_calls.hpp"
#include "routevpn/datapath/mtu.hpp"

namespace routevpn::link {

Link::Link(Handover handover, std::shared_ptr<const dtls::Identity> identity,
           MonitorClient& monitor)
    : monitor_(monitor),
      start_(handover.start),
      options_(handover.files.options),
      ifname_(handover.ifname),
      identity_(std::move(identity)),
      route_probe_(std::move(handover.route_probe)),
      mtu_(handover.start.mtu),
      control_socket_(loop_, std::move(handover.control_socket), handover.link,
                      [this] { return status(); }),
      memory_(std::move(handover.memory)),
      lanes_(make_lanes(std::move(handover))),
      flaps_(start_.flaps),
      refused_sources_(start_.refused_sources) {
  for (const auto& lane : lanes_) {
    loop_.watch(lane->mailbox_fd(), [this, &lane = *lane] {
      lane.acknowledge();
      serve(lane);
    });
  }
  loop_.watch(monitor_.fd(), [this] { on_monitor(); });
}

Link::Lanes Link::make_lanes(Handover handover) {
  const datapath::LanePolicy policy{datapath::OuterClass(options_.dscp),
                                    datapath::PrefixSet(options_.allow), accepted_sources()};
  Lanes lanes;
  for (auto& ends : handover.lanes) {
    const auto number = static_cast<unsigned>(lanes.size());
    auto lane = std::make_unique<LaneControl>(
        session::SessionSettings::of(options_, number, std::random_device{}()), identity_,
        std::move(ends), route_probe_, mtu_, number == 0, policy);
    if (const auto& peer = handover.last_peers[number]) lane->session().remember_peer(*peer);
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

void Link::start_lanes(const std::function<void()>& confine) {
  std::ptrdiff_t threads = 1;  // this one
  for (const auto& lane : lanes_) threads += lane->threads();
  std::barrier confined(threads);
  for (const auto& lane : lanes_) {
    lane->start_threads([&confine, &confined] {
      confine();
      confined.arrive_and_drop();
    });
  }
  confined.arrive_and_wait();
}

bool Link::run() {
  const bool takes_over = start_.takes_over != 0;
  if (!takes_over) {
    log_info("interface is ready",
             {{"ifname", ifname_},
              {"listening", lanes_.front()->local(session::SessionStatus{}).to_string()},
              {"mtu", std::to_string(mtu_)}});
  }
  monitor_.tell(channel::Ready{});
  ignore_routes_at_ =
      read_clock() + (options_.peers.empty() ? Duration::zero() : first_answer_time);
  takes_over ? take_over() : begin();
  while (!handed_over_ && (!stop_at_ || read_clock() < *stop_at_)) {
    loop_.turn(time_to_wait());
    if (!handed_over_) on_timer(read_clock());
    if (!handed_over_ && monitor_.has_later()) on_monitor();
  }
  return as_asked_;
}

void Link::begin() {
  for (const auto& lane : lanes_) {
    lane->release();
    lane->start(read_clock());
    drain(*lane);
  }
}

void Link::serve(LaneControl& lane) {
  for (int i = 0; i < handshakes_per_turn; ++i) {
    take_events(lane);
    if (!lane.take_handshake()) return;
    drain(lane);
  }
  lane.wake_again();
}

void Link::take_events(LaneControl& lane) {
  while (lane.take_event()) drain(lane);
}

void Link::drain(LaneControl& lane) {
  while (auto report = lane.next_report()) {
    std::visit(Overloaded{
                   [&](const session::CarrierOn&) { carrier_wanted(lane); },
                   [&](const session::CarrierOff&) { carrier_wanted(lane); },
                   [&](const session::StateChanged& change) { state_changed(change); },
                   [&](const session::HandshakeFailed& failed) { handshake_failed(failed); },
                   [&](const session::TakenOver& taken) { taken_over(taken); },
                   [&](const session::PathMtuChanged&) {
                     control_socket_.publish();
                     adapt_mtu();
                   },
                   [&](const session::Resolve& name) { resolve(lane, name); },
                   [&](const session::PeerRemembered& peer) {
                     monitor_.tell(channel::RememberPeer{number_of(lane),
                                                         channel::Address::of(peer.address)});
                   },
                   [&](const session::KeepGasp& gasp) { keep_gasp(lane, gasp); },
                   [&](const datapath::InterfaceGone&) { interface_gone(); },
               },
               *report);
  }
}

void Link::on_timer(Time now) {
  if (ignore_routes_at_ && now >= *ignore_routes_at_) ignore_linkdown_routes();
  if (now >= expiry_at_) {
    warn_of_expiry();
    for (const auto& lane : lanes_) lane->tell_wall_clock(now);  // it may have been set
  }
  report_refused_calls(now);
  const bool close_notify = close_notify_at_ && now >= *close_notify_at_;
  if (close_notify) close_notify_at_ = now + drain_time / close_notifies;
  for (const auto& lane : lanes_) {
    take_events(*lane);  // what has happened comes before timers
    if (close_notify) lane->session().repeat_close_notify();
    lane->on_timer(now);
    drain(*lane);
  }
}

// A refused system call is a fault of the allow-list, or an intruder's.
void Link::report_refused_calls(Time now) {
  const auto refused = cage::refused_system_calls();
  if (refused.count == refused_logged_ || now < next_refused_log_) return;
  refused_logged_ = refused.count;
  next_refused_log_ = now + std::chrono::seconds(10);
  log_error("system calls were refused",
            {{"all", std::to_string(refused.count)}, {"last", std::to_string(refused.last)}});
}

Duration Link::time_to_wait() const {
  Time first = stop_at_.value_or(expiry_at_);
  const auto consider = [&first](const std::optional<Time>& other) {
    if (other) first = std::min(first, *other);
  };
  consider(close_notify_at_);
  consider(ignore_routes_at_);
  for (const auto& lane : lanes_) consider(lane->session().deadline());
  return std::max(first - read_clock(), Duration::zero());
}

void Link::on_monitor() {
  channel::Message message;
  while (monitor_.next(message)) {
    if (auto psk = psk_of(message)) next_psks_.push_back(std::move(psk));
    if (const auto answer = message.as<channel::Resolved>()) resolved(*answer);
    if (const auto wanted = message.as<channel::Reload>()) reload(*wanted, message.descriptors());
    if (const auto ping = message.as<channel::Ping>()) {
      refused_sources_ = ping->refused_sources;
      monitor_.tell(channel::Alive{});
    }
    if (message.as<channel::Outlive>()) outlive();
    if (message.as<channel::HandOver>()) return hand_over();
    if (message.as<channel::Stop>()) begin_stop(true);
  }
}

static_assert(options::most_peers <= UINT8_MAX, "channel::ResolvePeer counts peers in a byte");

// The monitor resolves names of the options only. A lane's peers are these, with ports of its own.
void Link::resolve(const LaneControl& lane, const session::Resolve& name) {
  const auto& peers = options_.peers;
  const std::uint8_t number = number_of(lane);
  const auto port = static_cast<std::uint16_t>(name.peer.port - number);
  const auto at = std::ranges::find(peers, options::PeerAddress{name.peer.host, port});
  monitor_.tell(
      channel::ResolvePeer{number, static_cast<std::uint8_t>(std::distance(peers.begin(), at))});
}

void Link::resolved(const channel::Resolved& answer) {
  if (answer.lane >= lanes_.size()) return;
  std::vector<SocketAddress> addresses;
  for (const auto& one : answer.addresses) {
    const auto address = one.get();
    if (!address) break;
    addresses.push_back(*address);
  }
  lanes_[answer.lane]->resolved(std::move(addresses), std::string(answer.error.view()));
  drain(*lanes_[answer.lane]);
}

void Link::keep_gasp(const LaneControl& lane, const session::KeepGasp& kept) {
  channel::KeepGasp gasp{};
  gasp.lane = number_of(lane);
  gasp.length = static_cast<std::uint8_t>(kept.gasp.bytes);
  gasp.bytes = kept.gasp.record;
  gasp.remote = channel::Address::of(kept.to.remote);
  if (kept.to.local) gasp.local = channel::Address::of(*kept.to.local);
  monitor_.tell(gasp);
}

std::uint8_t Link::number_of(const LaneControl& lane) const {
  const auto at = std::ranges::find(lanes_, &lane, &std::unique_ptr<LaneControl>::get);
  return static_cast<std::uint8_t>(at - lanes_.begin());
}

void Link::ignore_linkdown_routes() {
  ignore_routes_at_.reset();
  monitor_.tell(channel::IgnoreDeadRoutes{});
}

// The link's carrier is on while at least one lane is up.
void Link::carrier_wanted(LaneControl& lane) {
  if (lanes_.size() > 1) {
    log_info(lane.wants_carrier() ? "lane is up" : "lane is down",
             {{"port", std::to_string(lane.local(session::SessionStatus{}).port)}});
  }
  adapt_mtu();
  const auto wants = [](const auto& one) { return one->wants_carrier(); };
  const bool wanted = std::any_of(lanes_.begin(), lanes_.end(), wants);
  if (wanted != carrier_) {
    monitor_.set_carrier(wanted);
    carrier_ = wanted;
    if (!wanted && !stop_at_) ++flaps_;
  }
  share_flows();
}

// Lanes that are up take the flows of lanes that are down. Without any lane up nothing moves.
void Link::share_flows() {
  if (!carrier_) return;
  try {
    for (const bool on : {true, false}) {  // attach first: one queue is always attached
      for (const auto& lane : lanes_) {
        if (lane->wants_carrier() == on) lane->serve_inside(on);
      }
    }
  } catch (const SystemError& error) {
    log_warning("flows stay in a lane that is down", {{"error", error.what()}});
  }
}

// The interface has one MTU, so the narrowest path counts.
void Link::adapt_mtu() {
  std::optional<session::PathMtuChanged> narrowest;
  for (const auto& lane : lanes_) {
    if (!lane->path() || !lane->session().status(read_clock()).association) continue;
    if (!narrowest) narrowest = lane->path();
    narrowest->path_mtu = std::min(narrowest->path_mtu, lane->path()->path_mtu);
    narrowest->payload_bytes = std::min(narrowest->payload_bytes, lane->path()->payload_bytes);
  }
  if (!narrowest) return;
  path_mtu_ = narrowest->path_mtu;
  const unsigned mtu =
      datapath::interface_mtu(narrowest->payload_bytes, options_.has_family(false));
  if (options_.mtu || mtu == mtu_) return;
  const unsigned got = monitor_.set_mtu(mtu);
  mtu_ = got;
  if (got != mtu) return;
  log_info("the interface's MTU follows the path's",
           {{"mtu", std::to_string(mtu)}, {"path_mtu", std::to_string(*path_mtu_)}});
}

}  // namespace routevpn::link
