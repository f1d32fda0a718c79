#include "link_script.hpp"

#include <deque>

#include "sim/identities.hpp"
#include "sim/world.hpp"

namespace routevpn::fuzz {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t max_observed = 16;
constexpr unsigned max_operations = 200;

class Attack {
 public:
  explicit Attack(Victim victim)
      : world_({.seed = 1, .limits = {}}, test::identities().initiator,
               test::identities().acceptor),
        victim_(static_cast<int>(victim)) {
    world_.observer = [this](int, ConstBytes datagram) {
      observed_.emplace_front(datagram.begin(), datagram.end());
      if (observed_.size() > max_observed) observed_.pop_back();
    };
  }

  void step(Input& script) {
    const std::uint8_t operation = script.byte();
    const bool by_stranger = (operation & 0x80) != 0;
    switch (operation % 8) {
      case 0:
        return send(script.chunk(), by_stranger);
      case 1: {  // a copy with one byte changed
        auto copy = observed(script);
        const std::size_t at = script.number();
        if (!copy.empty()) copy[at % copy.size()] ^= script.byte();
        return send(std::move(copy), by_stranger);
      }
      case 2: {  // a copy that ends early, continued by other bytes
        auto copy = observed(script);
        copy.resize(std::min<std::size_t>(copy.size(), script.number()));
        const auto more = script.chunk();
        copy.insert(copy.end(), more.begin(), more.end());
        return send(std::move(copy), by_stranger);
      }
      case 3: {  // two datagrams in one
        auto copy = observed(script);
        const auto second = observed(script);
        copy.insert(copy.end(), second.begin(), second.end());
        return send(std::move(copy), by_stranger);
      }
      case 4:
        return world_.cut(script.byte() % 2, by_stranger);
      case 5:
        return world_.run(milliseconds(script.byte()));
      case 6:
        return world_.run(milliseconds(50) * script.byte());
      default:
        (by_stranger ? world_.initiator() : world_.acceptor())
            .send_packets(1 + script.byte() % 4, script.number() % 1400);
    }
  }

  void end() {
    world_.cut(0, false);
    world_.cut(1, false);
    require(world_.run_until([&] { return world_.both_up(); }, seconds(60)), "the link comes up");
    for (const auto& violated : world_.violations) {
      // Answers to a stranger, such as a HelloVerifyRequest.
      if (!violated.ends_with("that the peer never had")) require(false, violated);
    }
  }

 private:
  Octets observed(Input& script) {
    const std::size_t which = script.byte();
    return observed_.empty() ? Octets() : observed_[which % observed_.size()];
  }
  void send(Octets datagram, bool by_stranger) {
    static const outside::Endpoint stranger{{*IpAddress::parse("198.51.100.1"), 9}, std::nullopt};
    if (datagram.size() > outside::max_datagram_bytes) return;
    auto& end = victim_ == 0 ? world_.initiator() : world_.acceptor();
    end.receive(std::move(datagram), by_stranger ? stranger : test::World::address(1 - victim_));
  }

  test::World world_;
  int victim_;
  std::deque<Octets> observed_;  // newest first
};

}  // namespace

void play(Input script, Victim victim) {
  Attack attack(victim);
  for (unsigned i = 0; i < max_operations && !script.empty(); ++i) attack.step(script);
  attack.end();
}

}  // namespace routevpn::fuzz
