// Handshakes of links with a PSK: what is sealed, what is answered, and which key is used.
#include "routevpn/session/handshakes.hpp"
#include "routevpn/session/restart_hint.hpp"

#include "catch.hpp"
#include "test_pki.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

using Datagram = std::vector<std::uint8_t>;

outside::Endpoint at(const std::string& address) {
  return {{*IpAddress::parse(address), 7754}, std::nullopt};
}

// The certificates of both ends, with the PSK files of this test.
struct Credentials {
  TestCa ca;
  Issued initiator = ca.issue({.name = "V1-1"});
  Issued acceptor = ca.issue({.name = "V2-1"});

  [[nodiscard]] std::shared_ptr<const dtls::Identity> identity(
      dtls::Role role, const std::vector<std::string>& psks) const {
    const bool initiates = role == dtls::Role::initiator;
    return make_identity(initiates ? initiator : acceptor, ca.certificate(),
                         initiates ? "V2-1" : "V1-1", "", "", psks);
  }
};

const Credentials& credentials() {
  static const Credentials made;
  return made;
}

// One end with what it has sent and reported.
struct End {
  End(dtls::Role role, const std::vector<std::string>& psks, std::vector<IpPrefix> allowed = {})
      : role_(role),
        handshakes(role, credentials().identity(role, psks), std::move(allowed), drops) {}

  void receive(const Datagram& datagram, const outside::Endpoint& from, Time now) {
    const auto opened = handshakes.open(datagram, from, now);
    if (!opened.fault) handshakes.receive(opened.datagram, from, now, opened.key);
    take();
  }
  void take() {
    while (auto event = handshakes.take_event()) std::visit(*this, *event);
  }
  void operator()(SendHandshake& flight) { sent.push_back(std::move(flight.datagram)); }
  void operator()(HandshakeCompleted& completed) { established = completed.established; }
  void operator()(HandshakeFailed& failed) { failures.push_back(failed.failure.text); }
  void load(const std::vector<std::string>& psks) {
    handshakes.replace_identity(credentials().identity(role_, psks));
  }

  dtls::Role role_;
  DropCounters drops;
  Handshakes handshakes;
  std::vector<Datagram> sent;
  std::optional<dtls::Established> established;
  std::vector<std::string> failures;
};

// Two ends on a wire that keeps a copy of everything.
struct Ends {
  Ends(const std::vector<std::string>& initiator_psks,
       const std::vector<std::string>& acceptor_psks)
      : initiator(dtls::Role::initiator, initiator_psks),
        acceptor(dtls::Role::acceptor, acceptor_psks) {
    virtual_clock::set(now);
  }

  // Runs until both ends are silent.
  void exchange() {
    for (;;) {
      const auto to_acceptor = std::exchange(initiator.sent, {});
      for (const auto& datagram : to_acceptor) acceptor.receive(datagram, east, now);
      const auto to_initiator = std::exchange(acceptor.sent, {});
      for (const auto& datagram : to_initiator) initiator.receive(datagram, west, now);
      from_initiator.insert(from_initiator.end(), to_acceptor.begin(), to_acceptor.end());
      from_acceptor.insert(from_acceptor.end(), to_initiator.begin(), to_initiator.end());
      if (to_acceptor.empty() && to_initiator.empty()) return;
    }
  }
  // Whether a new handshake completes, with the same keys at both ends.
  bool connect() {
    initiator.established.reset();
    acceptor.established.reset();
    initiator.handshakes.initiate(west, now);
    initiator.take();
    exchange();
    return initiator.established && acceptor.established &&
           initiator.established->send.key == acceptor.established->receive.key &&
           initiator.established->receive.key == acceptor.established->send.key;
  }
  void pass(Duration time) {
    now += time;
    virtual_clock::set(now);
    initiator.handshakes.on_timer(now);
    initiator.take();
  }

  outside::Endpoint east = at("192.0.2.1");
  outside::Endpoint west = at("192.0.2.2");
  Time now{1h};
  End initiator;
  End acceptor;
  std::vector<Datagram> from_initiator;
  std::vector<Datagram> from_acceptor;
};

const auto first_key = psk_line(1);
const auto second_key = psk_line(2);

}  // namespace

TEST_CASE("with a PSK each datagram of a handshake is an envelope of at most 1232 bytes") {
  Ends ends({first_key}, {first_key});
  REQUIRE(ends.connect());
  CHECK(ends.from_initiator.size() >= 3);
  CHECK(ends.from_acceptor.size() >= 3);
  for (const auto* sent : {&ends.from_initiator, &ends.from_acceptor}) {
    for (const auto& datagram : *sent) {
      CHECK(dtls::is_envelope(datagram));
      CHECK(datagram.size() <= 1232);
    }
  }
}

TEST_CASE("a PSK at one end only, or another PSK, gets no answer and a reason at both ends") {
  struct Case {
    std::vector<std::string> initiator;
    std::vector<std::string> acceptor;
    Drop counted;
    const char* reported;
    const char* hint;
  };
  const auto other_psk =
      "; a peer with another PSK, or with a clock that differs by more than 5 "
      "minutes, does not answer";
  const auto test = GENERATE_COPY(
      Case{{},
           {first_key},
           Drop::psk_missing,
           "the handshake is in no envelope: the peer has no PSK, this link has a PSK",
           "; a peer with a PSK does not answer without it"},
      Case{{first_key},
           {},
           Drop::psk_unexpected,
           "the handshake is in an envelope: the peer has a PSK, this link has none",
           other_psk},
      Case{{first_key},
           {second_key},
           Drop::psk_mismatch,
           "the envelope does not authenticate: the peer has another PSK, or a stranger sent it",
           other_psk});
  CAPTURE(name_of(test.counted));
  Ends ends(test.initiator, test.acceptor);
  CHECK_FALSE(ends.connect());
  CHECK(ends.from_acceptor.empty());
  CHECK(ends.acceptor.drops.get(test.counted) == 1);
  CHECK(ends.acceptor.failures == std::vector<std::string>{test.reported});
  CHECK_FALSE(ends.acceptor.handshakes.deadline());  // no state
  ends.pass(Handshakes::unanswered);
  REQUIRE(ends.initiator.failures.size() == 1);
  CHECK(ends.initiator.failures[0] == std::string("no answer") + test.hint);
}

TEST_CASE("an acceptor reports a PSK that does not fit once a minute, and not to strangers") {
  End acceptor(dtls::Role::acceptor, {first_key}, {*IpPrefix::parse("192.0.2.1/32")});
  const Datagram forged(200, dtls::envelope_byte);
  Time now{1h};
  acceptor.receive(forged, at("198.51.100.1"), now);
  CHECK(acceptor.failures.empty());
  for (int i = 0; i < 120; ++i) acceptor.receive(forged, at("192.0.2.1"), now += 1s);
  CHECK(acceptor.failures.size() == 2);
  CHECK(acceptor.drops.get(Drop::psk_mismatch) == 121);
}

TEST_CASE("copies of a handshake get no answer, from whatever address, and change nothing") {
  Ends ends({first_key}, {first_key});
  REQUIRE(ends.connect());
  const auto deadline = ends.acceptor.handshakes.deadline();
  for (const auto* address : {"198.51.100.1", "192.0.2.1"}) {
    for (const auto& datagram : ends.from_initiator) {
      ends.acceptor.receive(datagram, at(address), ends.now);
    }
    for (const auto& datagram : ends.from_acceptor) {  // reflected
      ends.acceptor.receive(datagram, at(address), ends.now);
    }
  }
  CHECK(ends.acceptor.sent.empty());
  CHECK(ends.acceptor.drops.get(Drop::psk_replayed) == 2 * ends.from_initiator.size());
  CHECK(ends.acceptor.drops.get(Drop::psk_mismatch) == 2 * ends.from_acceptor.size());
  CHECK(ends.acceptor.handshakes.deadline() == deadline);
}

TEST_CASE("spoofed handshake records do not reach a handshake of a link with a PSK") {
  Ends ends({first_key}, {first_key});
  ends.initiator.handshakes.initiate(ends.west, ends.now);
  ends.initiator.take();
  for (const auto type : {20, 21, 22, 23}) {
    Datagram record(15, 0);
    record[0] = static_cast<std::uint8_t>(type);
    record[1] = 0xfe;
    record[2] = 0xfd;
    record[12] = 2;
    ends.initiator.receive(record, ends.west, ends.now);
    ends.acceptor.receive(record, ends.east, ends.now);
  }
  CHECK(ends.initiator.drops.get(Drop::psk_missing) == 4);
  CHECK(ends.acceptor.drops.get(Drop::psk_missing) == 4);
  CHECK_FALSE(ends.initiator.handshakes.answered());
  ends.exchange();
  CHECK(ends.initiator.established);
}

TEST_CASE("a rollover: both ends accept two PSKs, change the sender, and drop the old PSK") {
  const auto initiator_first = GENERATE(true, false);
  Ends ends({first_key}, {first_key});
  CHECK(ends.connect());
  auto& one = initiator_first ? ends.initiator : ends.acceptor;
  auto& other = initiator_first ? ends.acceptor : ends.initiator;
  for (const auto& keys : std::vector<std::vector<std::string>>{
           {first_key, second_key}, {second_key, first_key}, {second_key}}) {
    ends.pass(1s);  // of the rate of a source
    one.load(keys);
    CHECK(ends.connect());
    other.load(keys);
    CHECK(ends.connect());
  }
  CHECK(ends.acceptor.drops.get(Drop::psk_mismatch) == 0);
  one.load({first_key});
  CHECK_FALSE(ends.connect());
}

TEST_CASE("a lost last flight is sent again after the PSK files were loaded again") {
  Ends ends({first_key}, {first_key});
  ends.initiator.handshakes.initiate(ends.west, ends.now);
  ends.initiator.take();
  while (!ends.acceptor.established) {
    ends.acceptor.sent.clear();
    for (const auto& datagram : std::exchange(ends.initiator.sent, {})) {
      ends.acceptor.receive(datagram, ends.east, ends.now);
    }
    if (ends.acceptor.established) break;
    for (const auto& datagram : std::exchange(ends.acceptor.sent, {})) {
      ends.initiator.receive(datagram, ends.west, ends.now);
    }
  }
  ends.acceptor.sent.clear();  // the flight is lost
  ends.acceptor.load({first_key});
  ends.pass(dtls::Handshake::first_retransmission);
  ends.exchange();
  CHECK(ends.initiator.established);
  CHECK(ends.acceptor.drops.get(Drop::psk_mismatch) == 0);
}

TEST_CASE("a datagram under the other PSK does not reach a handshake in progress") {
  Ends ends({first_key, second_key}, {first_key, second_key});
  ends.initiator.handshakes.initiate(ends.west, ends.now);
  ends.initiator.take();
  dtls::Envelopes other(credentials().identity(dtls::Role::acceptor, {second_key})->psks(),
                        dtls::Role::acceptor, 0);
  ends.initiator.receive(other.seal(other.own_key(), Datagram(30, 21), dtls::wall_seconds()),
                         ends.west, ends.now);
  CHECK(ends.initiator.drops.get(Drop::psk_mismatch) == 1);
  CHECK_FALSE(ends.initiator.handshakes.answered());
}

TEST_CASE("with a PSK only the address that --allow names gets a restart hint, in an envelope") {
  End acceptor(dtls::Role::acceptor, {first_key},
               {*IpPrefix::parse("192.0.2.1/32"), *IpPrefix::parse("198.51.100.0/24")});
  CHECK_FALSE(acceptor.handshakes.send_restart_hint(at("198.51.100.1"), Time(1h)));
  CHECK(acceptor.handshakes.send_restart_hint(at("192.0.2.1"), Time(1h)));
  acceptor.take();
  REQUIRE(acceptor.sent.size() == 1);
  dtls::Envelopes initiator(credentials().identity(dtls::Role::initiator, {first_key})->psks(),
                            dtls::Role::initiator, 0);
  CHECK(is_restart_hint(initiator.open(acceptor.sent[0], dtls::wall_seconds()).datagram));
}
