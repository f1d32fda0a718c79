// Negative matrix, both roles: renegotiation and other messages after completion change nothing.
#include <openssl/err.h>

#include "catch.hpp"
#include "duel.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Progress;
using dtls::Role;

namespace {

void check_data_passes(Duel& duel) {
  const auto& established = duel.ours()->established();
  const Octets text = {'t', 'e', 'x', 't'};
  const auto record = duel.peer.seal(record::ContentType::application_data, text);
  CHECK(open_data(established, record) == "text");
  CHECK(duel.peer.open(seal_data(established, "text")) == text);
}

// None of these may change the state of a completed handshake, or be answered.
void check_ignored(Role ours, std::initializer_list<Step> steps) {
  Duel duel(ours, plain_sides(ours));
  duel.exchange();
  REQUIRE(duel.completed());
  const auto keys = duel.ours()->established().receive.key;
  const std::size_t sent = duel.sent.size();
  // A renegotiation counts messages from 0 again.
  constexpr std::uint16_t next_message = 6;
  for (const Step step : steps) {
    for (const std::uint16_t sequence : {std::uint16_t{0}, next_message}) {
      CAPTURE(static_cast<int>(step), sequence);
      duel.deliver(duel.peer.datagram_of(step, 1, sequence));
      duel.deliver(duel.peer.datagram_of(step, 0, sequence));
      duel.exchange();
      CHECK(duel.progress() == Progress::completed);
      CHECK(duel.sent.size() == sent);
      CHECK_FALSE(duel.ours()->deadline());
      CHECK(ERR_peek_error() == 0);
    }
  }
  CHECK(duel.ours()->established().receive.key == keys);
  check_data_passes(duel);
}

}  // namespace

TEST_CASE("the acceptor does not renegotiate") {
  check_ignored(Role::acceptor,
                {Step::client_hello, Step::hello_request, Step::certificate,
                 Step::client_key_exchange, Step::certificate_verify, Step::unknown});
}

TEST_CASE("the initiator does not renegotiate") {
  check_ignored(Role::initiator, {Step::hello_request, Step::hello_verify_request,
                                  Step::server_hello, Step::certificate, Step::server_hello_done,
                                  Step::new_session_ticket, Step::finished, Step::unknown});
}

TEST_CASE("alerts and ChangeCipherSpecs after completion are ignored, sealed or not") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  Duel duel(ours, plain_sides(ours));
  duel.exchange();
  REQUIRE(duel.completed());
  const std::size_t sent = duel.sent.size();
  const Octets close_notify = {1, 0};
  duel.deliver(duel.peer.seal(record::ContentType::alert, close_notify));
  duel.deliver(duel.peer.seal(record::ContentType::change_cipher_spec, Octets{1}));
  duel.deliver(Datagram{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40});
  CHECK(duel.progress() == Progress::completed);
  CHECK(duel.sent.size() == sent);
  check_data_passes(duel);
}
