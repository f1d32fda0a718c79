#include "sim/world.hpp"

#include <algorithm>

#include "virtual_clock.hpp"

namespace routevpn::test {

World::World(const Settings& settings, std::shared_ptr<const dtls::Identity> initiator,
             std::shared_ptr<const dtls::Identity> acceptor)
    : wire(settings.seed), identities_{std::move(initiator), std::move(acceptor)} {
  auto session = session::SessionSettings::of(options::LinkOptions{}, 0, settings.seed);
  session.limits = settings.limits;
  session.rekey = settings.rekey;
  session.up_delay = settings.up_delay;
  session.detection = settings.detection;
  session.backend = record::CryptoBackend::openssl;
  session.role = dtls::Role::acceptor;
  settings_[1] = session;
  session.role = dtls::Role::initiator;
  session.rekey = settings.initiator_rekey.value_or(settings.rekey);
  session.peers = {{"peer.example", 7754}};
  settings_[0] = session;
  virtual_clock::set(now);
  for (const int end : {1, 0}) start(end);
}

void World::kill(int end) {
  killed_[end] = std::move(ends_[end]);
  asleep_[end] = false;
}

void World::crash(int end) {
  dying_[end] = {ends_[end]->gasp, 4, now};
  kill(end);
  send_gasps();
}

void World::send_gasps() {
  for (const int end : {0, 1}) {
    auto& dying = dying_[end];
    if (now < dying.due) continue;
    const auto& record = dying.gasp.gasp.record;
    const int peer = 1 - end;
    // Past the observer, which would take the copies for a nonce that is used twice.
    if (dying.gasp.gasp.bytes != 0 &&
        dying.gasp.to.remote == address(peer, peer == 0 ? rebinds_ : 0).remote) {
      wire.send(
          peer, end == 0 ? rebinds_ : 0, datapath::UdpFlow::bulk,
          {record.begin(), record.begin() + static_cast<std::ptrdiff_t>(dying.gasp.gasp.bytes)},
          now);
    }
    dying.due = --dying.left > 0 ? now + std::chrono::milliseconds(50) : Time::max();
  }
}

void World::start(int end) {
  ends_[end] = std::make_unique<SimEnd>(*this, end, settings_[end], identities_[end]);
  if (killed_[end]) ends_[end]->inherit_counts(*killed_[end]);
  killed_[end].reset();
  if (end == 1 && remembered) ends_[end]->session().remember_peer(*remembered);
  ends_[end]->session().on_wall_clock(virtual_clock::wall(), now);
  ends_[end]->session().start(now);
  ends_[end]->settle();
}

void World::hand_over(int end) {
  auto old = std::move(ends_[end]);
  old->settle();
  ends_[end] = std::make_unique<SimEnd>(*this, end, settings_[end], identities_[end]);
  auto& session = ends_[end]->session();
  const bool resumes = old->hand_over(*ends_[end]);
  session.on_wall_clock(virtual_clock::wall(), now);
  resumes ? session.resume(now) : session.start(now);
  ends_[end]->settle();
}

void World::wake(int end) {
  asleep_[end] = false;
  ends_[end]->settle();
}

// The acceptor has one port for both flows.
outside::Endpoint World::address(int end, int rebinds, datapath::UdpFlow flow) {
  const int port = end == 0 && flow == datapath::UdpFlow::sparse ? 9754 : 7754;
  const auto network = static_cast<std::uint8_t>(2 + rebinds / rebinds_of_move);
  return {{IpAddress::v4({192, 0, network, static_cast<std::uint8_t>(end + 1)}),
           static_cast<std::uint16_t>(port + rebinds % rebinds_of_move)},
          std::nullopt};
}

void World::run(Duration duration) {
  const Time end = now + duration;
  while (now < end) step(end);
}

void World::step(Time at_most) {
  Time next = std::min({wire.next(), at_most, dying_[0].due, dying_[1].due});
  for (const int end : {0, 1}) {
    if (awake(end)) next = std::min(next, ends_[end]->deadline().value_or(Time::max()));
  }
  if (traffic_interval) next = std::min(next, next_traffic_);
  now = std::max(now, next);
  virtual_clock::set(now);
  send_gasps();
  while (wire.next() <= now) {
    auto [to, from_rebinds, flow, datagram] = wire.take();
    if (datagram.empty() || !awake(to) || cut_[to]) continue;
    if (flow == datapath::UdpFlow::sparse ? sparse_is_cut : bulk_is_cut[to]) continue;
    ends_[to]->receive(std::move(datagram), address(1 - to, from_rebinds, flow), flow);
  }
  if (traffic_interval && now >= next_traffic_) {
    next_traffic_ = now + *traffic_interval;
    for (const int end : {0, 1}) {
      if (!awake(end)) continue;
      ends_[end]->send_packets(3, packet_bytes == 0 ? 60 + wire.pick(1300) : packet_bytes);
    }
  }
  for (const int end : {0, 1}) {
    if (awake(end)) ends_[end]->settle();
  }
}

}  // namespace routevpn::test
