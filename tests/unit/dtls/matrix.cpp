#include "matrix.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "catch.hpp"

namespace routevpn::test {

namespace {

using dtls::Progress;
using dtls::Role;

// An acceptor's flight has about 1,100 bytes. It leaves at 0, 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 s.
constexpr std::size_t most_output_bytes = 10'000;

constexpr auto application_record = record::ContentType::application_data;

bool is_all_zero(const record::DirectionKeys& keys) {
  const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
  return std::ranges::all_of(keys.key, is_zero) && std::ranges::all_of(keys.iv, is_zero);
}

void check_nothing_leaked(Role ours, Duel& duel) {
  CHECK(duel.sent_bytes() < most_output_bytes);
  // The acceptor's Finished would let the peer complete.
  if (ours == Role::acceptor) {
    CHECK(epoch_one_records(duel.sent).empty());
    CHECK_FALSE(duel.peer.completed());
  }
  if (duel.ours() == nullptr) return;
  CHECK(is_all_zero(duel.ours()->established().send));
  CHECK(is_all_zero(duel.ours()->established().receive));
  const Progress before = duel.progress();
  const std::size_t sent = duel.sent.size();
  const scripted::Octets text = {'l', 'e', 'a', 'k'};
  duel.deliver(duel.peer.seal(application_record, text));
  duel.peer.resend();
  duel.exchange();
  CHECK(duel.progress() == before);
  CHECK(duel.sent.size() == sent);
}

// Whatever the peer offers, the acceptor's ServerHello has no session, ticket or compression.
void check_completed(Role ours, const Duel& duel) {
  CHECK(duel.completed());
  if (ours != Role::acceptor) return;
  const scripted::Hello& hello = duel.peer.others_hello();
  CHECK(hello.session_id.empty());
  CHECK(hello.compressions == scripted::Octets{0});
  CHECK_FALSE(hello.extensions.contains(scripted::session_ticket));
}

void check_failure(const dtls::Handshake& ours, Drop reason, const std::string& words) {
  CHECK(ours.progress() == Progress::failed);
  CHECK(name_of(ours.failure().reason) == name_of(reason));
  CHECK_THAT(ours.failure().text, ContainsSubstring(words));
  CHECK_FALSE(ours.deadline());
}

}  // namespace

void check_row(Role ours, const Sides& sides, const Row& row) {
  INFO("row: " << row.name << " (we are the "
               << (ours == Role::acceptor ? "acceptor)" : "initiator)"));
  Duel duel(ours, sides, row.deviation);
  duel.exchange();
  if (row.resends) {
    CHECK(duel.progress() == Progress::waiting);
    duel.peer.resend();
    duel.exchange();
  }
  INFO("ended with: " << (duel.ours() != nullptr ? duel.ours()->failure().text : "no handshake"));
  CHECK((duel.ours() == nullptr) == (row.ending == Ending::no_handshake));
  INFO("dropped: " << duel.drops());
  if (row.ending == Ending::completes || row.ending == Ending::times_out) {
    CHECK((row.words.empty() || duel.drops().find(row.words) != std::string::npos));
  }
  switch (row.ending) {
    case Ending::completes:
      check_completed(ours, duel);
      break;
    case Ending::refused:
      if (duel.ours() == nullptr) break;
      check_failure(*duel.ours(), row.reason, row.words);
      check_nothing_leaked(ours, duel);
      break;
    case Ending::times_out:
      CHECK(duel.progress() == Progress::waiting);
      if (duel.ours() == nullptr) break;
      duel.finish();
      check_failure(*duel.ours(), Drop::handshake_timed_out, "within 10 s");
      check_nothing_leaked(ours, duel);
      break;
    case Ending::no_handshake:
      CHECK(duel.sent_bytes() <= duel.received_bytes);  // no amplification
      check_nothing_leaked(ours, duel);
      break;
  }
  CHECK(ERR_peek_error() == 0);
}

void check_rows(Role ours, const std::vector<Row>& rows) {
  for (const Row& row : rows) check_row(ours, plain_sides(ours), row);
}

}  // namespace routevpn::test
